// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <systemc>

namespace npuvp::base {

/// Occupancy of one shared resource (link direction, SRAM port, DRAM channel, engine): answers when a burst will have
/// passed. Bursts are placed in the first gap that is long enough at or after the time asked for, so that a burst
/// reserved far ahead (a write that waits for its read) does not hold back what fits before it.
class Timeline {
 public:
  struct Slot {
    sc_core::sc_time begin;
    sc_core::sc_time end;
  };

  /// `bytes_per_second` > 0 is the rate of reserve_bytes().
  explicit Timeline(double bytes_per_second);

  /// Occupies the resource for `duration` from the first possible time not before `earliest` (absolute).
  Slot reserve(sc_core::sc_time earliest, sc_core::sc_time duration);

  /// The same, but the burst is cut into pieces where gaps are too short for all of it, as if the flits of several
  /// bursts took turns: from the begin of its first piece to the end of its last one.
  Slot reserve_pieces(sc_core::sc_time earliest, sc_core::sc_time duration);

  /// reserve() for a number of bytes at the resource's rate, rounded up to the kernel's time resolution.
  Slot reserve_bytes(sc_core::sc_time earliest, uint64_t bytes);

  [[nodiscard]] sc_core::sc_time duration_of(uint64_t bytes) const;

  /// Sum of all reserved time since construction or reset().
  [[nodiscard]] sc_core::sc_time busy() const { return busy_; }

  /// Forgets reservations and counters.
  void reset();

 private:
  void forget_past();

  double ticks_per_byte_;
  std::deque<Slot> slots_;  // sorted, disjoint, adjacent ones merged; only what ends after the kernel's present
  sc_core::sc_time busy_;
};

}  // namespace npuvp::base
