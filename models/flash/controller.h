// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <array>
#include <cstdint>
#include <systemc>

#include "models/base/environment.h"
#include "models/base/irq.h"
#include "models/flash/spi_nor.h"
#include "npuvp/registers/flash.h"

namespace npuvp::flash {

/// SPI flash controller and the flash behind it.
///
/// Socket: `registers` (target). START sends one command; the transfer takes its time on the wires, and an access that
/// comes meanwhile is held until its end (the bus waits), so that software need not poll. `irq`: the flash has ended a
/// write, to the PLIC; its event exists only while IRQ_ENABLE is set and a write runs.
class FlashController final : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(FlashController);

  struct Parameters {
    SpiNor::Parameters flash;
    double clock_hz = 50e6;   ///< Of the SPI bus (u): what the flash takes for every command.
    unsigned data_lanes = 4;  ///< For DATA, quad I/O (u); opcode and address use one.
  };

  /// Errors: those of SpiNor.
  FlashController(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);

  tlm_utils::simple_target_socket<FlashController> registers;
  base::IrqLine irq;

  [[nodiscard]] SpiNor& flash() { return flash_; }

  /// Card reset: registers as after power-on; the flash goes on with what it does.
  void reset();

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  void start(const base::Origin& origin);
  [[nodiscard]] sc_core::sc_time transfer_time(bool addressed, unsigned bytes) const;
  void update_irq();

  base::Environment& environment_;
  const Parameters parameters_;
  FlashRegisters registers_;
  SpiNor flash_;
  sc_core::sc_time now_;         // of the access in progress
  sc_core::sc_time busy_until_;  // the wires
  sc_core::sc_event ready_event_;
};

}  // namespace npuvp::flash
