// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <systemc>
#include <utility>
#include <variant>
#include <vector>

namespace npuvp::base {

/// One line of a timeline display; 0 is the root.
using TrackId = uint64_t;

struct TraceArgument {
  std::string_view name;
  std::variant<uint64_t, std::string_view> value;
};
using TraceArguments = std::vector<TraceArgument>;

/// Receives the platform's event stream. Times are absolute simulated times. Implementations: platform/debug.
class TraceSink {
 public:
  virtual ~TraceSink() = default;
  virtual void track(TrackId id, TrackId parent, std::string_view name) = 0;
  virtual void span(TrackId track, std::string_view name, sc_core::sc_time begin, sc_core::sc_time end,
                    const TraceArguments& arguments) = 0;
  virtual void instant(TrackId track, std::string_view name, sc_core::sc_time at, const TraceArguments& arguments) = 0;
};

/// The one event stream: blocks write, sinks read. Check enabled() first: off costs that one branch.
class Trace {
 public:
  [[nodiscard]] bool enabled() const { return !sinks_.empty(); }

  /// Sinks are told of all tracks made so far. The sink must outlive the platform's last event.
  void add_sink(TraceSink& sink);

  TrackId add_track(std::string name, TrackId parent = 0);
  void span(TrackId track, std::string_view name, sc_core::sc_time begin, sc_core::sc_time end,
            const TraceArguments& arguments = {});
  void instant(TrackId track, std::string_view name, sc_core::sc_time at, const TraceArguments& arguments = {});

 private:
  std::vector<TraceSink*> sinks_;
  std::vector<std::pair<TrackId, std::string>> tracks_;  // parent and name; id is the index + 1
};

}  // namespace npuvp::base
