// SPDX-License-Identifier: Apache-2.0
#include "models/system_controller/system_controller.h"

namespace npuvp::system_controller {

SystemController::SystemController(sc_core::sc_module_name name, base::Environment& environment,
                                   const Parameters& parameters)
    : sc_module(name), registers("registers"), registers_(environment, sc_module::name()) {
  registers.register_b_transport(this, &SystemController::b_transport);
  registers.register_transport_dbg(this, &SystemController::transport_dbg);
  registers_.NEURAL_ENGINES.set_reset(parameters.neural_engines);
  registers_.DRAM_MIB.set_reset(parameters.dram_mib);
  registers_.SHARED_BYTES.set_reset(parameters.shared_bytes);
  registers_.SCRATCHPAD_BYTES.set_reset(parameters.scratchpad_bytes);
  registers_.CP_MHZ.set_reset(parameters.cp_mhz);
  registers_.CARD.set_reset(parameters.card);
  registers_.RESET.on_write([this](const base::RegisterWrite& write) {
    if (registers_.RESET.CARD.in(write) != 0 && card_reset_) card_reset_(ResetCause::kFirmware);
  });
}

void SystemController::reset(ResetCause cause) {
  if (cause == ResetCause::kPowerOn) {
    for (auto& word : registers_.SCRATCH) word.reset();
  }
  registers_.RESET_CAUSE.CAUSE.set(static_cast<uint64_t>(cause));
}

void SystemController::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
  registers_.transport(payload);
}

unsigned SystemController::transport_dbg(tlm::tlm_generic_payload& payload) {
  return registers_.transport_debug(payload);
}

}  // namespace npuvp::system_controller
