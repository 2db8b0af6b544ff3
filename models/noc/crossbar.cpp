// SPDX-License-Identifier: Apache-2.0
#include "models/noc/crossbar.h"

#include <algorithm>

#include "models/base/sideband.h"

namespace npuvp::noc {

using sc_core::sc_time;
using sc_core::sc_time_stamp;

namespace {

/// Gives the payload another address for as long as it is with the target.
class Readdressed {
 public:
  Readdressed(tlm::tlm_generic_payload& payload, uint64_t address) : payload_(payload), saved_(payload.get_address()) {
    payload_.set_address(address);
  }
  ~Readdressed() { payload_.set_address(saved_); }
  Readdressed(const Readdressed&) = delete;
  Readdressed& operator=(const Readdressed&) = delete;

 private:
  tlm::tlm_generic_payload& payload_;
  uint64_t saved_;
};

}  // namespace

Crossbar::Crossbar(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters)
    : sc_module(name),
      initiators("initiator", parameters.initiators.size()),
      targets("target", parameters.targets.size()),
      environment_(environment),
      map_(parameters.map, static_cast<unsigned>(parameters.targets.size())),
      hop_latency_(parameters.hop_latency),
      initiator_links_(parameters.initiators.begin(), parameters.initiators.end()),
      target_links_(parameters.targets.begin(), parameters.targets.end()) {
  for (size_t i = 0; i < initiators.size(); ++i) {
    const int tag = static_cast<int>(i);
    initiators[i].register_b_transport(this, &Crossbar::b_transport, tag);
    initiators[i].register_get_direct_mem_ptr(this, &Crossbar::get_direct_mem_ptr, tag);
    initiators[i].register_transport_dbg(this, &Crossbar::transport_dbg, tag);
  }
  for (size_t i = 0; i < targets.size(); ++i) {
    targets[i].register_invalidate_direct_mem_ptr(this, &Crossbar::invalidate_direct_mem_ptr, static_cast<int>(i));
  }
}

void Crossbar::reset() {
  for (auto* links : {&initiator_links_, &target_links_}) {
    for (auto& link : *links) {
      link.request.reset();
      link.response.reset();
    }
  }
}

const Range* Crossbar::decode(const tlm::tlm_generic_payload& payload) {
  const uint64_t address = payload.get_address();
  const uint64_t bytes = std::max(payload.get_data_length(), 1U);
  const auto* range = map_.find(address);
  if (range != nullptr && bytes - 1 <= range->last() - address) return range;

  const auto& origin = base::sideband_of(payload).origin;
  // The host may probe its windows freely; what runs on the card has no business outside of the map.
  if (origin.kind == base::Origin::Kind::kHart || origin.kind == base::Origin::Kind::kEngine) {
    environment_.diagnostics().misuse(
        name(),
        fmt::format("{} of {} bytes at {:#x} {}", payload.is_write() ? "write" : "read", bytes, address,
                    range == nullptr ? "is outside of the address map" : "crosses the end of " + range->name),
        origin);
  }
  return nullptr;
}

void Crossbar::b_transport(int initiator, tlm::tlm_generic_payload& payload, sc_time& delay) {
  const auto* range = decode(payload);
  const sc_time now = sc_time_stamp();
  if (range == nullptr) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    delay += hop_latency_ + hop_latency_;
    return;
  }
  auto& from = initiator_links_[static_cast<size_t>(initiator)];
  auto& to = target_links_[range->target];
  const sc_time completion =
      payload.is_write() ? write(from, to, *range, payload, now + delay) : read(from, to, *range, payload, now + delay);
  delay = completion - now;
}

/// Data goes along with the request; the acknowledgement takes one hop back.
sc_time Crossbar::write(Link& from, Link& to, const Range& range, tlm::tlm_generic_payload& payload, sc_time arrival) {
  const uint64_t bytes = payload.get_data_length();
  const auto first = from.request.reserve_bytes(arrival, bytes);
  const auto second = to.request.reserve_bytes(first.begin + hop_latency_, bytes);
  const sc_time accepted = forward(range, payload, second.begin);
  return std::max({accepted, second.end, first.end + hop_latency_}) + hop_latency_;
}

/// The request occupies no link. Of the data only the last beat's time is known: it is taken to leave the target back
/// to back at the link's rate, the last beat at the target's completion, the first not before the request has come.
sc_time Crossbar::read(Link& from, Link& to, const Range& range, tlm::tlm_generic_payload& payload, sc_time arrival) {
  const uint64_t bytes = payload.get_data_length();
  const sc_time requested = arrival + hop_latency_;
  const sc_time ready = forward(range, payload, requested);
  const sc_time duration = to.response.duration_of(bytes);
  const sc_time leaves = ready >= requested + duration ? ready - duration : requested;
  const auto first = to.response.reserve(leaves, duration);
  const auto second = from.response.reserve_bytes(first.begin + hop_latency_, bytes);
  return std::max({ready + hop_latency_, first.end + hop_latency_, second.end});
}

sc_time Crossbar::forward(const Range& range, tlm::tlm_generic_payload& payload, sc_time arrival) {
  const Readdressed readdressed(payload, range.to_target(payload.get_address()));
  sc_time delay = arrival - sc_time_stamp();
  targets[range.target]->b_transport(payload, delay);
  return sc_time_stamp() + delay;
}

bool Crossbar::get_direct_mem_ptr(int /*initiator*/, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  const auto* range = map_.find(payload.get_address());
  if (range == nullptr) return false;
  {
    const Readdressed readdressed(payload, range->to_target(payload.get_address()));
    if (!targets[range->target]->get_direct_mem_ptr(payload, dmi)) return false;
  }
  const uint64_t first = std::max<uint64_t>(dmi.get_start_address(), range->base_at_target);
  const uint64_t last = std::min<uint64_t>(dmi.get_end_address(), range->base_at_target + (range->bytes - 1));
  dmi.set_dmi_ptr(dmi.get_dmi_ptr() + (first - dmi.get_start_address()));
  dmi.set_start_address(first - range->base_at_target + range->base);
  dmi.set_end_address(last - range->base_at_target + range->base);
  dmi.set_read_latency(dmi.get_read_latency() + hop_latency_ + hop_latency_);
  dmi.set_write_latency(dmi.get_write_latency() + hop_latency_ + hop_latency_);
  return true;
}

unsigned Crossbar::transport_dbg(int /*initiator*/, tlm::tlm_generic_payload& payload) {
  const auto* range = map_.find(payload.get_address());
  if (range == nullptr || payload.get_data_length() == 0) return 0;
  const unsigned bytes = payload.get_data_length();
  const uint64_t inside = range->last() - payload.get_address();  // bytes after the first
  payload.set_data_length(static_cast<unsigned>(std::min<uint64_t>(bytes - 1, inside)) + 1);
  unsigned moved = 0;
  {
    const Readdressed readdressed(payload, range->to_target(payload.get_address()));
    moved = targets[range->target]->transport_dbg(payload);
  }
  payload.set_data_length(bytes);
  return moved;
}

void Crossbar::invalidate_direct_mem_ptr(int target, sc_dt::uint64 start, sc_dt::uint64 end) {
  for (const auto& range : map_.ranges()) {
    if (range.target != static_cast<unsigned>(target)) continue;
    const uint64_t first = std::max<uint64_t>(start, range.base_at_target);
    const uint64_t last = std::min<uint64_t>(end, range.base_at_target + (range.bytes - 1));
    if (first > last) continue;
    for (auto& initiator : initiators) {
      initiator->invalidate_direct_mem_ptr(first - range.base_at_target + range.base,
                                           last - range.base_at_target + range.base);
    }
  }
}

}  // namespace npuvp::noc
