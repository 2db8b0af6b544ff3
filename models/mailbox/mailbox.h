// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <systemc>

#include "firmware/abi/abi.h"
#include "models/base/environment.h"
#include "models/base/irq.h"
#include "models/mailbox/bank.h"

namespace npuvp::mailbox {

/// Host interface: mailbox, doorbells, interrupt requests between driver and command processor, one bank for each PCIe
/// function.
///
/// Sockets, both targets: `host` (map `host`, behind BAR0; the bank is the sideband's `function`), `card` (map `card`
/// of function n at n * NPU_MAP_BLOCK_BYTES, on the peripheral bus). A register access takes no time of its own and
/// acts on the other side at once. Interrupts: `message` and `doorbell` to the PLIC, the OR over all functions; MSI-X
/// vectors through on_raise_vector(). Protocol: firmware/abi/mailbox.h.
class Mailbox final : public sc_core::sc_module {
 public:
  struct Parameters {
    uint32_t abi_version = NPU_ABI_VERSION;
    unsigned functions = 1;  ///< Physical and virtual ones, 1 to 1 + NPU_MAX_VFS.
  };

  /// Throws std::invalid_argument for an impossible number of functions.
  Mailbox(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);

  tlm_utils::simple_target_socket<Mailbox> host;
  tlm_utils::simple_target_socket<Mailbox> card;
  base::IrqLine message;
  base::IrqLine doorbell;

  /// `handler` raises an MSI-X vector of a function, one that it has.
  void on_raise_vector(std::function<void(unsigned function, unsigned vector)> handler) {
    raise_vector_ = std::move(handler);
  }
  /// `handler` resets the card; it may call reset() of this block, from inside the host's register write.
  void on_card_reset(std::function<void()> handler) { card_reset_ = std::move(handler); }

  /// Card reset: nothing pending, all values zero, lines low.
  void reset();
  /// What RESET_CAUSE shows to all functions.
  void set_reset_cause(uint32_t cause);
  /// Virtual function `function` was reset or disabled. One that the card does not have is ignored.
  void function_reset(unsigned function);

  [[nodiscard]] HostRegisters& host_registers(unsigned function = 0) { return banks_.at(function).host; }
  [[nodiscard]] CardRegisters& card_registers(unsigned function = 0) { return banks_.at(function).card; }

 private:
  void host_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned host_transport_dbg(tlm::tlm_generic_payload& payload);
  void card_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned card_transport_dbg(tlm::tlm_generic_payload& payload);

  void add_bank(unsigned function, uint32_t abi_version);
  void publish(uint64_t card_state, uint64_t boot_code);
  [[nodiscard]] uint64_t summary(bool (Bank::*cause)() const) const;
  void update_irq();

  base::Environment& environment_;
  std::deque<Bank> banks_;  // a deque: banks stay where they are
  std::function<void(unsigned, unsigned)> raise_vector_;
  std::function<void()> card_reset_;
};

}  // namespace npuvp::mailbox
