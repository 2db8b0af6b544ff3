// SPDX-License-Identifier: Apache-2.0
#include "models/base/timeline.h"

#include <algorithm>

namespace npuvp::base {

using sc_core::sc_time;

Timeline::Timeline(double bytes_per_second)
    : ticks_per_byte_(1.0 / (bytes_per_second * sc_core::sc_get_time_resolution().to_seconds())) {
  sc_assert(bytes_per_second > 0);
}

/// The first slot that ends after `earliest`; nearly always none or the last one.
Timeline::Place Timeline::first_after(sc_time earliest) {
  auto next = slots_.end();
  while (next != slots_.begin() && std::prev(next)->end > earliest) --next;
  return next;
}

Timeline::Slot Timeline::reserve(sc_time earliest, sc_time duration) {
  forget_past();
  busy_ += duration;
  auto next = first_after(earliest);
  sc_time begin = earliest;
  while (next != slots_.end() && next->begin < begin + duration) {
    begin = std::max(begin, next->end);
    ++next;
  }
  const Slot slot{begin, begin + duration};
  if (duration == sc_core::SC_ZERO_TIME) return slot;

  const bool joins_previous = next != slots_.begin() && std::prev(next)->end == slot.begin;
  const bool joins_next = next != slots_.end() && next->begin == slot.end;
  if (joins_previous && joins_next) {
    std::prev(next)->end = next->end;
    slots_.erase(next);
  } else if (joins_previous) {
    std::prev(next)->end = slot.end;
  } else if (joins_next) {
    next->begin = slot.begin;
  } else {
    slots_.insert(next, slot);
  }
  return slot;
}

Timeline::Slot Timeline::reserve_pieces(sc_time earliest, sc_time duration) {
  forget_past();
  busy_ += duration;
  if (duration == sc_core::SC_ZERO_TIME) return {earliest, earliest};
  auto next = first_after(earliest);
  Slot burst{earliest, earliest};
  if (next != slots_.end() && next->begin <= earliest) {
    burst = {next->end, next->end};
    ++next;
  }
  // Every gap but the last is filled, so all from the first piece to the last one becomes one slot.
  auto after = next;
  for (sc_time left = duration;; ++after) {
    const bool fits = after == slots_.end() || after->begin - burst.end >= left;
    if (fits) {
      burst.end += left;
      break;
    }
    left -= after->begin - burst.end;
    burst.end = after->end;
  }
  const bool joins_previous = next != slots_.begin() && std::prev(next)->end == burst.begin;
  const bool joins_next = after != slots_.end() && after->begin == burst.end;
  if (joins_previous) --next;
  if (joins_next) ++after;
  const Slot whole{joins_previous ? next->begin : burst.begin, joins_next ? std::prev(after)->end : burst.end};
  if (after - next == 1) {
    *next = whole;
  } else {
    slots_.insert(slots_.erase(next, after), whole);
  }
  return burst;
}

/// Nobody asks for what is over, so it only costs memory: seldom worth a look.
void Timeline::forget_past() {
  if (slots_.size() < look_back_at_) return;
  const sc_time now = sc_core::sc_time_stamp();
  const auto present = std::find_if(slots_.begin(), slots_.end(), [now](const Slot& slot) { return slot.end > now; });
  slots_.erase(slots_.begin(), present);
  look_back_at_ = std::max(kFew, 2 * slots_.size());
}

void Timeline::reset() {
  slots_.clear();
  look_back_at_ = kFew;
  busy_ = sc_core::SC_ZERO_TIME;
}

}  // namespace npuvp::base
