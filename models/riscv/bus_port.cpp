// SPDX-License-Identifier: Apache-2.0
#include "models/riscv/bus_port.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "models/riscv/code_cache.h"

namespace npuvp::riscv {

BusPort::BusPort(const char* name) : InitiatorPort(name) {
  denied_pages_.fill(kNoPage);
  // The socket's module type is the base class; the object it calls is this one.
  using Handler = void (base::InitiatorPort::*)(sc_dt::uint64, sc_dt::uint64);
  socket.register_invalidate_direct_mem_ptr(this, static_cast<Handler>(&BusPort::invalidate));
}

std::optional<DirectRegion> BusPort::direct(uint64_t address) {
  for (const DirectRegion& region : regions_) {
    if (region.contains(address, 1)) return region;
  }
  uint64_t& denied = denied_pages_[(address / kPageBytes) % kDenied];
  if (denied == page_of(address)) return std::nullopt;

  tlm::tlm_dmi dmi;
  const bool granted = InitiatorPort::dmi(address, dmi) && dmi.get_dmi_ptr() != nullptr;
  const bool sensible = granted && dmi.get_start_address() <= address && address <= dmi.get_end_address();
  if (!sensible || dmi.is_none_allowed()) {
    denied = page_of(address);
    return std::nullopt;
  }
  // A region that spans all 2^64 bytes would have a length of 0.
  const uint64_t last_offset = std::min(dmi.get_end_address() - dmi.get_start_address(), ~1ull);
  return regions_.emplace_back(DirectRegion{dmi.get_dmi_ptr(), dmi.get_start_address(), last_offset + 1,
                                            dmi.is_read_allowed(), dmi.is_write_allowed()});
}

void BusPort::flush_direct() {
  regions_.clear();
  denied_pages_.fill(kNoPage);
}

void BusPort::invalidate(sc_dt::uint64 /*start*/, sc_dt::uint64 /*end*/) {
  flush_direct();
  if (on_invalidate_) on_invalidate_();
}

BusStatus HartBus::load(uint64_t address, unsigned size_bytes, uint64_t& value) {
  std::array<uint8_t, sizeof(uint64_t)> bytes{};
  mark_origin();
  const auto response = port_.read(address, std::span(bytes).first(size_bytes), delay_);
  // Poisoned data must not be consumed: the load faults as it would on a bus error.
  if (response != tlm::TLM_OK_RESPONSE || port_.sideband().poison) return BusStatus::kAccessFault;
  std::memcpy(&value, bytes.data(), sizeof value);
  return BusStatus::kOk;
}

BusStatus HartBus::store(uint64_t address, unsigned size_bytes, uint64_t value) {
  std::array<uint8_t, sizeof(uint64_t)> bytes{};
  std::memcpy(bytes.data(), &value, sizeof value);
  mark_origin();
  const auto response = port_.write(address, std::span<const uint8_t>(bytes).first(size_bytes), delay_);
  return response == tlm::TLM_OK_RESPONSE ? BusStatus::kOk : BusStatus::kAccessFault;
}

sc_core::sc_time HartBus::take_delay() {
  return std::exchange(delay_, sc_core::SC_ZERO_TIME);
}

void HartBus::mark_origin() {
  port_.sideband().poison = false;
  port_.sideband().origin = {base::Origin::Kind::kHart, static_cast<uint16_t>(hart_->hart_id()), hart_->pc()};
}

}  // namespace npuvp::riscv
