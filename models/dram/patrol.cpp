// SPDX-License-Identifier: Apache-2.0
#include "models/dram/patrol.h"

#include <fmt/format.h>

#include <stdexcept>

namespace npuvp::dram {

using sc_core::sc_time;

Patrol::Patrol(uint64_t bytes, sc_time period)
    : bursts_(bytes / kBurstBytes), interval_(sc_time::from_value(bursts_ == 0 ? 0 : period.value() / bursts_)) {
  if (interval_ < sc_time(100, sc_core::SC_NS)) {
    throw std::invalid_argument(
        fmt::format("DRAM scrubbing: {} bytes in {} are more than a burst in 100 ns", bytes, period.to_string()));
  }
}

sc_time Patrol::next_visit(uint64_t address, sc_time time) const {
  const uint64_t wanted = address / kBurstBytes;
  const uint64_t next = bursts_until(time);
  const uint64_t ahead = (wanted + bursts_ - next % bursts_) % bursts_;
  return sc_time::from_value((next + ahead) * interval_.value());
}

std::optional<uint64_t> Patrol::take_due(sc_time time) {
  const uint64_t until = bursts_until(time);
  if (until <= taken_) return std::nullopt;
  taken_ = until;
  return until - 1;
}

}  // namespace npuvp::dram
