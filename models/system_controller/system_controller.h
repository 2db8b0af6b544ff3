// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <functional>
#include <systemc>

#include "models/base/environment.h"
#include "npuvp/registers/system_controller.h"

namespace npuvp::system_controller {

/// Why the card restarts: values of RESET_CAUSE.
enum class ResetCause : uint8_t { kPowerOn = 0, kHost = 1, kFirmware = 2, kPcie = 3 };

/// Board straps for the firmware, card reset by firmware, scratch registers.
///
/// Socket: `registers`, target; accesses take no time of their own.
class SystemController final : public sc_core::sc_module {
 public:
  /// What the straps say; no defaults that could disagree with the board's other blocks.
  struct Parameters {
    uint32_t neural_engines;
    uint32_t dram_mib;
    uint32_t shared_bytes;
    uint32_t scratchpad_bytes;
    uint32_t cp_mhz;
    uint32_t card;
  };

  SystemController(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);

  tlm_utils::simple_target_socket<SystemController> registers;

  /// `handler` resets the card, for ResetCause::kFirmware; it may call reset() from inside the register write.
  void on_card_reset(std::function<void(ResetCause)> handler) { card_reset_ = std::move(handler); }

  /// Records the cause. SCRATCH survives all but kPowerOn.
  void reset(ResetCause cause);

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);

  SystemControllerRegisters registers_;
  std::function<void(ResetCause)> card_reset_;
};

}  // namespace npuvp::system_controller
