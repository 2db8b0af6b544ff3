// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "models/base/environment.h"
#include "npuvp/registers/mailbox.h"

namespace npuvp::mailbox {

/// The mailbox of one PCIe function: its two register maps and what crosses between them. Function 0 is the physical
/// function, n virtual function n, which has fewer queues and vectors and whose CARD_RESET resets only itself.
class Bank {
 public:
  /// What a bank asks of its surroundings, called from inside a register write.
  struct Hooks {
    std::function<void()> update;                                          ///< An interrupt's cause may have changed.
    std::function<void(unsigned vector)> raise;                            ///< An MSI-X vector that the function has.
    std::function<void(uint64_t card_state, uint64_t boot_code)> publish;  ///< Function 0: the card has set them.
    std::function<void()> card_reset;                                      ///< Function 0: the host resets the card.
  };

  /// Names of the register maps begin with `name`.
  Bank(base::Environment& environment, const std::string& name, unsigned function, uint32_t abi_version, Hooks hooks);

  /// Accesses relative to the map. Registers of queues that the function does not have are not there.
  void host_transport(tlm::tlm_generic_payload& payload);
  void card_transport(tlm::tlm_generic_payload& payload);

  /// Card reset: nothing pending, all values zero.
  void reset();
  /// Reset of the virtual function: the same, except that FUNCTION_RESET is pending and CARD_STATE, BOOT_CODE stay.
  void reset_function();
  /// Makes CARD_STATE and BOOT_CODE visible on both sides.
  void show(uint64_t card_state, uint64_t boot_code);

  [[nodiscard]] bool pending() const { return card.PENDING.get() != 0; }
  [[nodiscard]] bool ringing() const { return card.DOORBELLS.get() != 0; }

  HostRegisters host;
  CardRegisters card;

 private:
  void wire_host();
  void wire_card();
  void publish(base::Register& target, const base::RegisterWrite& write);
  void ring_card(const base::Origin& origin);
  void ring_doorbell(unsigned queue);
  void ring_host(const base::Origin& origin);
  void raise(uint64_t vector, const base::Origin& origin);
  template <typename Map>
  [[nodiscard]] bool names_absent_queue(const Map& map, uint64_t offset) const;
  template <typename Map>
  void transport(Map& map, tlm::tlm_generic_payload& payload);

  base::Environment& environment_;
  const unsigned function_;
  const unsigned queues_;
  const unsigned vectors_;
  const Hooks hooks_;
};

}  // namespace npuvp::mailbox
