// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <systemc>
#include <vector>

namespace npuvp::dma {

/// Shares an engine's outstanding bursts among its channels: a free one goes to the next channel in turn of those that
/// wait, so that each gets its part however many bursts another one would take.
class Arbiter {
 public:
  /// `bursts` 0: everybody may go at once.
  explicit Arbiter(unsigned bursts) : ends_(bursts) {}

  /// In an SC_THREAD of `channel`: waits until it may issue, and returns the burst it has got. Whoever was reset in the
  /// meantime gives it back at once.
  [[nodiscard]] size_t acquire(unsigned channel);
  /// `burst` is free again at `end` (absolute).
  void release(size_t burst, sc_core::sc_time end);
  /// All bursts are free; who waits goes on.
  void reset();

 private:
  struct Waiter {
    unsigned channel;
    uint64_t order;
  };

  [[nodiscard]] const Waiter* next() const;

  std::vector<sc_core::sc_time> ends_;  // when each burst is free
  std::vector<const Waiter*> waiters_;
  sc_core::sc_event changed_;
  unsigned last_ = 0;  // channel that was served
  uint64_t arrivals_ = 0;
};

}  // namespace npuvp::dma
