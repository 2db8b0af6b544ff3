// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <systemc>

namespace npuvp::dram {

/// A patrol scrubber: walks through a memory, one burst after the other at even distances, again and again. Plain
/// arithmetic on time, so that a memory without errors and without traffic costs no event.
class Patrol {
 public:
  static constexpr uint64_t kBurstBytes = 4096;

  /// `bytes` in whole bursts; a pass begins at time 0 and every `period`. Throws std::invalid_argument when the bursts
  /// would come faster than one in 100 ns.
  Patrol(uint64_t bytes, sc_core::sc_time period);

  /// When burst `number` (counted over all passes) is read: number * interval.
  [[nodiscard]] sc_core::sc_time time_of(uint64_t number) const {
    return sc_core::sc_time::from_value(number * interval_.value());
  }
  /// Bursts read before `time`, or at it.
  [[nodiscard]] uint64_t bursts_until(sc_core::sc_time time) const { return time.value() / interval_.value() + 1; }
  /// Address of the first byte of a burst.
  [[nodiscard]] uint64_t address_of(uint64_t number) const { return number % bursts_ * kBurstBytes; }
  /// When the burst that holds `address` is read next, after `time`.
  [[nodiscard]] sc_core::sc_time next_visit(uint64_t address, sc_core::sc_time time) const;

  /// The last burst that was due up to `time` and that no call has asked for, if there is one. Earlier ones that nobody
  /// has asked for lay in time without traffic, where they were in nobody's way.
  [[nodiscard]] std::optional<uint64_t> take_due(sc_core::sc_time time);

 private:
  const uint64_t bursts_;  // of a pass
  const sc_core::sc_time interval_;
  uint64_t taken_ = 0;
};

}  // namespace npuvp::dram
