// SPDX-License-Identifier: Apache-2.0
#include "models/base/trace.h"

namespace npuvp::base {

void Trace::add_sink(TraceSink& sink) {
  sinks_.push_back(&sink);
  for (size_t i = 0; i < tracks_.size(); ++i) sink.track(i + 1, tracks_[i].first, tracks_[i].second);
}

TrackId Trace::add_track(std::string name, TrackId parent) {
  tracks_.emplace_back(parent, std::move(name));
  const TrackId id = tracks_.size();
  for (auto* sink : sinks_) sink->track(id, parent, tracks_.back().second);
  return id;
}

void Trace::span(TrackId track, std::string_view name, sc_core::sc_time begin, sc_core::sc_time end,
                 const TraceArguments& arguments) {
  for (auto* sink : sinks_) sink->span(track, name, begin, end, arguments);
}

void Trace::instant(TrackId track, std::string_view name, sc_core::sc_time at, const TraceArguments& arguments) {
  for (auto* sink : sinks_) sink->instant(track, name, at, arguments);
}

}  // namespace npuvp::base
