// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <functional>
#include <systemc>

#include "models/base/environment.h"
#include "models/base/irq.h"
#include "npuvp/registers/gpio.h"

namespace npuvp::gpio {

/// 32 pins with interrupts by edge or level, and the board's straps.
///
/// Socket: `registers` (target); accesses take no time of their own and act at once. `irq` to the PLIC. The other end
/// of the pins is C++: set_input(), on_output().
class Gpio final : public sc_core::sc_module {
 public:
  static constexpr unsigned kPins = 32;

  /// What the STRAPS register says.
  struct Parameters {
    uint8_t boot = 0;  ///< Value of STRAPS.BOOT.
    uint8_t board = 0;
  };

  Gpio(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);

  tlm_utils::simple_target_socket<Gpio> registers;
  base::IrqLine irq;

  /// What drives `pin` from outside; the card's own driver wins where DIRECTION is 1.
  void set_input(unsigned pin, bool level);
  /// `handler` learns the levels that the card drives, and which pins it drives, whenever either changes.
  void on_output(std::function<void(uint32_t levels, uint32_t driven)> handler) { on_output_ = std::move(handler); }

  /// Card reset: the card drives no pin, no interrupt. Straps stay.
  void reset();

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  void drive();
  void update();

  GpioRegisters registers_;
  std::function<void(uint32_t, uint32_t)> on_output_;
  uint32_t outside_ = 0;
};

}  // namespace npuvp::gpio
