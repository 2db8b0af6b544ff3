// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <functional>
#include <systemc>

#include "firmware/abi/abi.h"
#include "models/base/environment.h"
#include "models/base/irq.h"
#include "npuvp/registers/mailbox.h"

namespace npuvp::mailbox {

/// Host interface: mailbox, doorbells, interrupt requests between driver and command processor.
///
/// Sockets: `host` (map `host`, behind BAR0), `card` (map `card`, on the peripheral bus), both targets. A register
/// access takes no time of its own and acts on the other side at once. Interrupts: `message` and `doorbell` to the
/// PLIC; MSI-X vectors through on_raise_vector(). Protocol: firmware/abi/mailbox.h.
class Mailbox final : public sc_core::sc_module {
 public:
  struct Parameters {
    uint32_t abi_version = NPU_ABI_VERSION;
  };

  Mailbox(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);

  tlm_utils::simple_target_socket<Mailbox> host;
  tlm_utils::simple_target_socket<Mailbox> card;
  base::IrqLine message;
  base::IrqLine doorbell;

  /// `handler` raises an MSI-X vector of the function, 0 to NPU_MSIX_VECTORS - 1.
  void on_raise_vector(std::function<void(unsigned vector)> handler) { raise_vector_ = std::move(handler); }
  /// `handler` resets the card; it may call reset() of this block, from inside the host's register write.
  void on_card_reset(std::function<void()> handler) { card_reset_ = std::move(handler); }

  /// Card reset: nothing pending, all values zero, lines low.
  void reset();

  [[nodiscard]] HostRegisters& host_registers() { return host_registers_; }
  [[nodiscard]] CardRegisters& card_registers() { return card_registers_; }

 private:
  void host_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned host_transport_dbg(tlm::tlm_generic_payload& payload);
  void card_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned card_transport_dbg(tlm::tlm_generic_payload& payload);

  void wire_host();
  void wire_card();
  void ring_card(const base::Origin& origin);
  void ring_doorbell(unsigned queue);
  void raise(uint64_t vector, const base::Origin& origin);
  void update_irq();

  base::Environment& environment_;
  HostRegisters host_registers_;
  CardRegisters card_registers_;
  std::function<void(unsigned)> raise_vector_;
  std::function<void()> card_reset_;
};

}  // namespace npuvp::mailbox
