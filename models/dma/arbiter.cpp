// SPDX-License-Identifier: Apache-2.0
#include "models/dma/arbiter.h"

#include <algorithm>
#include <tuple>

namespace npuvp::dma {

using sc_core::sc_time;
using sc_core::sc_time_stamp;

size_t Arbiter::acquire(unsigned channel) {
  if (ends_.empty()) return 0;
  const Waiter self{channel, arrivals_++};
  waiters_.push_back(&self);
  for (;;) {
    const auto free = std::min_element(ends_.begin(), ends_.end());
    if (*free <= sc_time_stamp() && next() == &self) {
      waiters_.erase(std::find(waiters_.begin(), waiters_.end(), &self));
      last_ = channel;
      *free = sc_core::sc_max_time();  // until release() tells
      changed_.notify();
      return static_cast<size_t>(free - ends_.begin());
    }
    if (*free <= sc_time_stamp() || *free == sc_core::sc_max_time()) {
      sc_core::wait(changed_);
    } else {
      sc_core::wait(*free - sc_time_stamp(), changed_);
    }
  }
}

/// The channel after the one that was served last, in a circle; of one channel who came first.
const Arbiter::Waiter* Arbiter::next() const {
  return *std::min_element(waiters_.begin(), waiters_.end(), [this](const Waiter* a, const Waiter* b) {
    return std::tuple(a->channel <= last_, a->channel, a->order) <
           std::tuple(b->channel <= last_, b->channel, b->order);
  });
}

void Arbiter::release(size_t burst, sc_time end) {
  if (ends_.empty()) return;
  ends_[burst] = end;
  changed_.notify();
}

void Arbiter::reset() {
  std::fill(ends_.begin(), ends_.end(), sc_core::SC_ZERO_TIME);
  changed_.notify();
}

}  // namespace npuvp::dma
