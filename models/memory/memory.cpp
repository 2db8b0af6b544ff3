// SPDX-License-Identifier: Apache-2.0
#include "models/memory/memory.h"

#include <algorithm>

#include "models/base/memory_access.h"
#include "models/base/sideband.h"

namespace npuvp::memory {

using sc_core::sc_time;

Memory::Memory(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters)
    : sc_module(name),
      ports("port", parameters.ports),
      environment_(environment),
      parameters_(parameters),
      storage_(parameters.bytes),
      array_(parameters.bytes_per_second) {
  for (auto& port : ports) {
    port.register_b_transport(this, &Memory::b_transport);
    port.register_get_direct_mem_ptr(this, &Memory::get_direct_mem_ptr);
    port.register_transport_dbg(this, &Memory::transport_dbg);
  }
}

bool Memory::load(uint64_t offset, std::span<const uint8_t> image) {
  if (!storage_.contains(offset, image.size())) return false;
  std::copy(image.begin(), image.end(), storage_.data() + offset);
  return true;
}

sc_time Memory::scrub(uint64_t offset, uint64_t bytes) {
  storage_.clear(offset, bytes);
  const sc_time now = sc_core::sc_time_stamp();
  return array_.reserve_bytes(now, bytes).end - now;
}

void Memory::b_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
  const auto response = base::access_memory(storage_, payload, !parameters_.read_only);
  payload.set_response_status(response);
  if (response == tlm::TLM_COMMAND_ERROR_RESPONSE) {
    environment_.diagnostics().misuse(name(), fmt::format("write to read-only memory at {:#x}", payload.get_address()),
                                      base::sideband_of(payload).origin);
  }
  if (response != tlm::TLM_OK_RESPONSE) return;
  const sc_time now = sc_core::sc_time_stamp();
  delay = array_.reserve_bytes(now + delay, payload.get_data_length()).end + parameters_.latency - now;
}

bool Memory::get_direct_mem_ptr(tlm::tlm_generic_payload&, tlm::tlm_dmi& dmi) {
  if (!parameters_.dmi) return false;
  base::offer_memory(storage_, !parameters_.read_only, parameters_.latency, dmi);
  return true;
}

unsigned Memory::transport_dbg(tlm::tlm_generic_payload& payload) {
  return base::access_memory_debug(storage_, payload);
}

}  // namespace npuvp::memory
