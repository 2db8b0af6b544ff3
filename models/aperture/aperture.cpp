// SPDX-License-Identifier: Apache-2.0
#include "models/aperture/aperture.h"

#include <algorithm>

#include "models/base/sideband.h"

namespace npuvp::aperture {
namespace {

constexpr uint64_t kPageBytes = 4096;

}  // namespace

Aperture::Aperture(sc_core::sc_module_name name, base::Environment& environment)
    : sc_module(name),
      host("host"),
      memory("memory"),
      registers("registers"),
      environment_(environment),
      registers_(environment, sc_module::name()) {
  host.register_b_transport(this, &Aperture::host_transport);
  host.register_transport_dbg(this, &Aperture::host_transport_dbg);
  registers.register_b_transport(this, &Aperture::registers_transport);
  registers.register_transport_dbg(this, &Aperture::registers_transport_dbg);
  for (auto& begin : registers_.BASE) {
    begin.on_write([this, &begin](const base::RegisterWrite& write) {
      if (begin.get() % kPageBytes == 0) return;
      begin.set(begin.get() / kPageBytes * kPageBytes);
      environment_.diagnostics().misuse(registers_.name() + "." + begin.info().name, "not 4 KiB aligned", write.origin);
    });
  }
}

void Aperture::function_reset(unsigned function) {
  if (function < registers_.BYTES.size()) registers_.BYTES[function].reset();
}

/// Where the access goes; none if any byte of it lies outside the function's window.
std::optional<uint64_t> Aperture::physical(const tlm::tlm_generic_payload& payload) const {
  const unsigned function = base::sideband_of(payload).function;
  if (function >= registers_.BASE.size()) return std::nullopt;
  const uint64_t window = registers_.BYTES[function].get();
  const uint64_t offset = payload.get_address();
  const uint64_t bytes = std::max(payload.get_data_length(), 1U);
  if (offset >= window || bytes > window - offset) return std::nullopt;
  uint64_t last = 0;
  if (__builtin_add_overflow(registers_.BASE[function].get(), offset + (bytes - 1), &last)) return std::nullopt;
  return last - (bytes - 1);
}

void Aperture::host_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  const auto target = physical(payload);
  if (!target) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  const uint64_t offset = payload.get_address();
  payload.set_address(*target);
  memory->b_transport(payload, delay);
  payload.set_address(offset);
}

unsigned Aperture::host_transport_dbg(tlm::tlm_generic_payload& payload) {
  const auto target = physical(payload);
  if (!target) return 0;
  const uint64_t offset = payload.get_address();
  payload.set_address(*target);
  const unsigned moved = memory->transport_dbg(payload);
  payload.set_address(offset);
  return moved;
}

void Aperture::registers_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
  registers_.transport(payload);
}

unsigned Aperture::registers_transport_dbg(tlm::tlm_generic_payload& payload) {
  return registers_.transport_debug(payload);
}

}  // namespace npuvp::aperture
