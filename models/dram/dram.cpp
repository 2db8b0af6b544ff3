// SPDX-License-Identifier: Apache-2.0
#include "models/dram/dram.h"

#include "models/base/memory_access.h"

namespace npuvp::dram {

using sc_core::sc_time;

Dram::Dram(sc_core::sc_module_name name, base::Environment& /*environment*/, const Parameters& parameters)
    : sc_module(name),
      memory("memory"),
      parameters_(parameters),
      storage_(parameters.bytes),
      timing_(std::make_unique<FastTiming>(parameters.fast)) {
  memory.register_b_transport(this, &Dram::b_transport);
  memory.register_get_direct_mem_ptr(this, &Dram::get_direct_mem_ptr);
  memory.register_transport_dbg(this, &Dram::transport_dbg);
}

void Dram::b_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
  const auto response = base::access_memory(storage_, payload, true);
  payload.set_response_status(response);
  if (response != tlm::TLM_OK_RESPONSE) return;
  const sc_time now = sc_core::sc_time_stamp();
  delay = timing_->access(now + delay, payload.get_address(), payload.get_data_length(), payload.is_write()) - now;
}

bool Dram::get_direct_mem_ptr(tlm::tlm_generic_payload&, tlm::tlm_dmi& dmi) {
  if (!parameters_.dmi) return false;
  base::offer_memory(storage_, true, parameters_.fast.latency, dmi);
  return true;
}

unsigned Dram::transport_dbg(tlm::tlm_generic_payload& payload) {
  return base::access_memory_debug(storage_, payload);
}

}  // namespace npuvp::dram
