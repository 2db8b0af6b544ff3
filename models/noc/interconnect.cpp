// SPDX-License-Identifier: Apache-2.0
#include "models/noc/interconnect.h"

#include <algorithm>
#include <utility>

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

Interconnect::Interconnect(sc_core::sc_module_name name, base::Environment& environment, size_t initiator_count,
                           size_t target_count, std::vector<Range> map, sc_time hop_latency)
    : sc_module(name),
      initiators("initiator", initiator_count),
      targets("target", target_count),
      environment_(environment),
      hop_latency_(hop_latency),
      map_(std::move(map), static_cast<unsigned>(target_count)) {
  for (size_t i = 0; i < initiators.size(); ++i) {
    const int tag = static_cast<int>(i);
    initiators[i].register_b_transport(this, &Interconnect::b_transport, tag);
    initiators[i].register_get_direct_mem_ptr(this, &Interconnect::get_direct_mem_ptr, tag);
    initiators[i].register_transport_dbg(this, &Interconnect::transport_dbg, tag);
  }
  for (size_t i = 0; i < targets.size(); ++i) {
    targets[i].register_invalidate_direct_mem_ptr(this, &Interconnect::invalidate_direct_mem_ptr, static_cast<int>(i));
  }
}

const Range* Interconnect::decode(const tlm::tlm_generic_payload& payload) {
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

void Interconnect::b_transport(int initiator, tlm::tlm_generic_payload& payload, sc_time& delay) {
  const auto* range = decode(payload);
  if (range == nullptr) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    delay += latency_of(2);
    return;
  }
  const sc_time now = sc_time_stamp();
  delay = move(static_cast<unsigned>(initiator), *range, payload, now + delay) - now;
}

sc_time Interconnect::forward(const Range& range, tlm::tlm_generic_payload& payload, sc_time arrival) {
  const Readdressed readdressed(payload, range.to_target(payload.get_address()));
  sc_time delay = arrival - sc_time_stamp();
  targets[range.target]->b_transport(payload, delay);
  return sc_time_stamp() + delay;
}

bool Interconnect::get_direct_mem_ptr(int initiator, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
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
  const sc_time way = latency_of(2 * hops(static_cast<unsigned>(initiator), range->target));
  dmi.set_read_latency(dmi.get_read_latency() + way);
  dmi.set_write_latency(dmi.get_write_latency() + way);
  return true;
}

unsigned Interconnect::transport_dbg(int /*initiator*/, tlm::tlm_generic_payload& payload) {
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

void Interconnect::invalidate_direct_mem_ptr(int target, sc_dt::uint64 start, sc_dt::uint64 end) {
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
