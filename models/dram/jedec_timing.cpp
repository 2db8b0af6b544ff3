// SPDX-License-Identifier: Apache-2.0
#include "models/dram/jedec_timing.h"

#include <algorithm>
#include <bit>
#include <stdexcept>

namespace npuvp::dram {

using sc_core::sc_time;

JedecTiming::JedecTiming(const Parameters& parameters)
    : parameters_(parameters),
      map_(parameters.map, static_cast<uint32_t>(std::countr_zero(parameters.part.organisation.transaction_bytes))),
      units_per_clock_(sc_time(parameters.part.timings.tCK_ps, sc_core::SC_PS).value()),
      sinks_(parameters.channels),
      split_(parameters.channels) {
  const auto& organisation = parameters.part.organisation;
  const std::array<uint32_t, kFields> sizes{parameters.channels,    organisation.pseudo_channels,
                                            organisation.stack_ids, organisation.bank_groups,
                                            organisation.banks,     organisation.rows,
                                            organisation.columns};
  for (size_t field = 0; field < kFields; ++field) {
    const bool stack = static_cast<Field>(field) == Field::kStackId;
    const uint64_t room = stack ? std::bit_ceil(sizes[field]) : sizes[field];
    if (uint64_t{1} << map_.width(static_cast<Field>(field)) > room) {
      throw std::invalid_argument(std::string("DRAM address map: too many bits for ") + kFieldNames[field]);
    }
  }
  reset();
}

sc_time JedecTiming::access(sc_time arrival, uint64_t address, uint64_t bytes, bool write) {
  const uint64_t granule = parameters_.part.organisation.transaction_bytes;
  for (uint64_t at = address / granule * granule; at < address + bytes; at += granule) {
    uint32_t channel = 0;
    const Location where = map_.location(at, channel);
    split_[channel].push_back({.where = where, .write = write, .tag = 0});
  }
  const Tick present = ticks_down(sc_core::sc_time_stamp());
  const Tick begin = ticks_up(arrival);
  Tick last = begin;
  for (size_t channel = 0; channel < channels_.size(); ++channel) {
    if (split_[channel].empty()) continue;
    last = std::max(last, channels_[channel].access(present, begin, std::move(split_[channel])));
    split_[channel].clear();
  }
  return time_of(last);
}

void JedecTiming::reset() {
  channels_.clear();
  for (uint32_t i = 0; i < parameters_.channels; ++i) {
    auto& channel = channels_.emplace_back(parameters_.part, parameters_.policy);
    if (sinks_[i] != nullptr) channel.set_sink(sinks_[i]);
  }
}

void JedecTiming::set_sink(size_t channel, CommandSink* sink) {
  sinks_.at(channel) = sink;
  channels_.at(channel).set_sink(sink);
}

void JedecTiming::finish() {
  for (auto& channel : channels_) channel.finish();
}

Tick JedecTiming::ticks_down(sc_time time) const {
  return static_cast<Tick>(time.value() * parameters_.part.ticks_per_clock() / units_per_clock_);
}

Tick JedecTiming::ticks_up(sc_time time) const {
  return static_cast<Tick>((time.value() * parameters_.part.ticks_per_clock() + units_per_clock_ - 1) /
                           units_per_clock_);
}

sc_time JedecTiming::time_of(Tick tick) const {
  const uint64_t per_clock = parameters_.part.ticks_per_clock();
  return sc_time::from_value((static_cast<uint64_t>(tick) * units_per_clock_ + per_clock - 1) / per_clock);
}

}  // namespace npuvp::dram
