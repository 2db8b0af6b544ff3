// SPDX-License-Identifier: Apache-2.0
#include "models/noc/regulator.h"

#include <algorithm>

namespace npuvp::noc {

using sc_core::sc_time;

sc_time Regulator::admit(unsigned initiator, sc_time arrival, sc_time duration, const std::vector<uint32_t>& weights) {
  auto& mine = states_[initiator];
  uint64_t competing = weights[initiator];
  for (size_t other = 0; other < states_.size(); ++other) {
    const auto& state = states_[other];
    if (other != initiator && state.used && state.until + window_ > arrival) competing += weights[other];
  }
  mine.used = true;
  if (competing == weights[initiator]) {
    mine.next = arrival;
    return arrival;
  }
  const sc_time begin = std::max(arrival, mine.next);
  mine.next = begin + sc_time::from_value(duration.value() * competing / weights[initiator]);
  return begin;
}

void Regulator::passed(unsigned initiator, sc_time end) {
  states_[initiator].until = std::max(states_[initiator].until, end);
}

void Regulator::reset() {
  std::fill(states_.begin(), states_.end(), State{});
}

}  // namespace npuvp::noc
