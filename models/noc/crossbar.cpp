// SPDX-License-Identifier: Apache-2.0
#include "models/noc/crossbar.h"

#include <algorithm>

namespace npuvp::noc {

using sc_core::sc_time;

Crossbar::Crossbar(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters)
    : Interconnect(name, environment, parameters.initiators.size(), parameters.targets.size(), parameters.map,
                   parameters.hop_latency),
      initiator_links_(parameters.initiators.begin(), parameters.initiators.end()),
      target_links_(parameters.targets.begin(), parameters.targets.end()) {}

void Crossbar::reset() {
  for (auto* links : {&initiator_links_, &target_links_}) {
    for (auto& link : *links) {
      link.request.reset();
      link.response.reset();
    }
  }
}

sc_time Crossbar::move(unsigned initiator, const Range& range, tlm::tlm_generic_payload& payload, sc_time arrival) {
  auto& from = initiator_links_[initiator];
  auto& to = target_links_[range.target];
  return payload.is_write() ? write(from, to, range, payload, arrival) : read(from, to, range, payload, arrival);
}

/// Data goes along with the request; the acknowledgement takes one hop back.
sc_time Crossbar::write(Link& from, Link& to, const Range& range, tlm::tlm_generic_payload& payload, sc_time arrival) {
  const uint64_t bytes = payload.get_data_length();
  const auto first = from.request.reserve_bytes(arrival, bytes);
  const auto second = to.request.reserve_bytes(first.begin + latency_of(1), bytes);
  const sc_time accepted = forward(range, payload, second.begin);
  return std::max({accepted, second.end, first.end + latency_of(1)}) + latency_of(1);
}

/// The request occupies no link. Of the data only the last beat's time is known: it is taken to leave the target back
/// to back at the link's rate, the last beat at the target's completion, the first not before the request has come.
sc_time Crossbar::read(Link& from, Link& to, const Range& range, tlm::tlm_generic_payload& payload, sc_time arrival) {
  const uint64_t bytes = payload.get_data_length();
  const sc_time requested = arrival + latency_of(1);
  const sc_time ready = forward(range, payload, requested);
  const sc_time duration = to.response.duration_of(bytes);
  const sc_time leaves = ready >= requested + duration ? ready - duration : requested;
  const auto first = to.response.reserve(leaves, duration);
  const auto second = from.response.reserve_bytes(first.begin + latency_of(1), bytes);
  return std::max({ready + latency_of(1), first.end + latency_of(1), second.end});
}

}  // namespace npuvp::noc
