// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <systemc>
#include <vector>

namespace npuvp::base {

/// `ticks` >= 0 of the kernel's time resolution, rounded up. std::ceil() is a call on processors without SSE 4.1, and
/// so are, nearly, conversions from and to unsigned numbers.
[[nodiscard]] inline sc_core::sc_time time_of_ticks(double ticks) {
  const auto whole = static_cast<int64_t>(ticks);
  return sc_core::sc_time::from_value(static_cast<uint64_t>(whole + (static_cast<double>(whole) < ticks ? 1 : 0)));
}

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
  Slot reserve_bytes(sc_core::sc_time earliest, uint64_t bytes) { return reserve(earliest, duration_of(bytes)); }

  [[nodiscard]] sc_core::sc_time duration_of(uint64_t bytes) const {
    if (bytes != last_asked_) {
      last_asked_ = bytes;
      last_duration_ = time_of_ticks(static_cast<double>(static_cast<int64_t>(bytes)) * ticks_per_byte_);
    }
    return last_duration_;
  }

  /// Sum of all reserved time since construction or reset().
  [[nodiscard]] sc_core::sc_time busy() const { return busy_; }

  /// Forgets reservations and counters.
  void reset();

 private:
  static constexpr size_t kFew = 16;
  using Place = std::vector<Slot>::iterator;

  [[nodiscard]] Place first_after(sc_core::sc_time earliest);
  void forget_past();

  double ticks_per_byte_;
  mutable uint64_t last_asked_ = 0;  // most bursts are of one size
  mutable sc_core::sc_time last_duration_;
  std::vector<Slot> slots_;     // sorted, disjoint, adjacent ones merged
  size_t look_back_at_ = kFew;  // slots: then it is time to forget those that ended before the kernel's present
  sc_core::sc_time busy_;
};

}  // namespace npuvp::base
