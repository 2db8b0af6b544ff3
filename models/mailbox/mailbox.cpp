// SPDX-License-Identifier: Apache-2.0
#include "models/mailbox/mailbox.h"

#include <string>

#include "firmware/abi/mailbox.h"
#include "firmware/abi/memory_map.h"

namespace npuvp::mailbox {

using base::RegisterWrite;

Mailbox::Mailbox(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters)
    : sc_module(name),
      host("host"),
      card("card"),
      environment_(environment),
      host_registers_(environment, std::string(sc_module::name()) + ".host"),
      card_registers_(environment, std::string(sc_module::name()) + ".card") {
  host.register_b_transport(this, &Mailbox::host_transport);
  host.register_transport_dbg(this, &Mailbox::host_transport_dbg);
  card.register_b_transport(this, &Mailbox::card_transport);
  card.register_transport_dbg(this, &Mailbox::card_transport_dbg);
  host_registers_.ABI_VERSION.set_reset(parameters.abi_version);
  wire_host();
  wire_card();
}

void Mailbox::wire_host() {
  auto& host_map = host_registers_;
  host_map.CONTROL.on_write([this](const RegisterWrite& write) {
    if (host_registers_.CONTROL.CARD_RESET.in(write) != 0 && card_reset_) card_reset_();
  });
  for (auto& word : host_map.H2C_DATA) {
    word.on_write([this](const RegisterWrite& write) {
      if (host_registers_.STATUS.H2C_PENDING.get() != 0) {
        environment_.diagnostics().misuse(host_registers_.name() + ".H2C_DATA",
                                          "written before the card has taken the last message", write.origin);
      }
      card_registers_.H2C_DATA[write.index].set(host_registers_.H2C_DATA[write.index].get());
    });
  }
  host_map.H2C_DOORBELL.on_write([this](const RegisterWrite& write) {
    if (host_registers_.H2C_DOORBELL.RING.in(write) != 0) ring_card(write.origin);
  });
  for (auto& tail : host_map.SQ_TAIL) {
    tail.on_write([this](const RegisterWrite& write) {
      card_registers_.SQ_TAIL[write.index].set(host_registers_.SQ_TAIL[write.index].get());
      ring_doorbell(write.index);
    });
  }
  for (auto& head : host_map.CQ_HEAD) {
    head.on_write([this](const RegisterWrite& write) {
      card_registers_.CQ_HEAD[write.index].set(host_registers_.CQ_HEAD[write.index].get());
      ring_doorbell(write.index);
    });
  }
}

void Mailbox::wire_card() {
  auto& card_map = card_registers_;
  card_map.PENDING.on_write([this](const RegisterWrite&) {
    host_registers_.STATUS.H2C_PENDING.set(card_registers_.PENDING.MESSAGE.get());
    update_irq();
  });
  card_map.DOORBELLS.on_write([this](const RegisterWrite&) { update_irq(); });
  card_map.CARD_STATE.on_write(
      [this](const RegisterWrite&) { host_registers_.CARD_STATE.STATE.set(card_registers_.CARD_STATE.get()); });
  card_map.BOOT_CODE.on_write(
      [this](const RegisterWrite&) { host_registers_.BOOT_CODE.set(card_registers_.BOOT_CODE.get()); });
  card_map.C2H_DOORBELL.on_write([this](const RegisterWrite& write) {
    if (card_registers_.C2H_DOORBELL.RING.in(write) == 0) return;
    host_registers_.STATUS.C2H_PENDING.set(1);
    raise(NPU_VECTOR_MAILBOX, write.origin);
  });
  card_map.RAISE_VECTOR.on_write(
      [this](const RegisterWrite& write) { raise(write.written & write.mask, write.origin); });
  for (auto& word : card_map.C2H_DATA) {
    word.on_write([this](const RegisterWrite& write) {
      host_registers_.C2H_DATA[write.index].set(card_registers_.C2H_DATA[write.index].get());
    });
  }
}

void Mailbox::reset() {
  host_registers_.reset();
  card_registers_.reset();
  update_irq();
}

void Mailbox::ring_card(const base::Origin& origin) {
  if (host_registers_.STATUS.H2C_PENDING.get() != 0) {
    environment_.diagnostics().misuse(host_registers_.name() + ".H2C_DOORBELL",
                                      "rung before the card has taken the last message", origin);
  }
  host_registers_.STATUS.H2C_PENDING.set(1);
  card_registers_.PENDING.MESSAGE.set(1);
  update_irq();
}

void Mailbox::ring_doorbell(unsigned queue) {
  card_registers_.DOORBELLS.set_bits(1ULL << queue);
  update_irq();
}

void Mailbox::raise(uint64_t vector, const base::Origin& origin) {
  if (vector >= NPU_MSIX_VECTORS) {
    environment_.diagnostics().misuse(card_registers_.name() + ".RAISE_VECTOR",
                                      fmt::format("there is no vector {}", vector), origin);
    return;
  }
  if (raise_vector_) raise_vector_(static_cast<unsigned>(vector));
}

void Mailbox::update_irq() {
  message.set(card_registers_.PENDING.MESSAGE.get() != 0);
  doorbell.set(card_registers_.DOORBELLS.get() != 0);
}

void Mailbox::host_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
  host_registers_.transport(payload);
}

unsigned Mailbox::host_transport_dbg(tlm::tlm_generic_payload& payload) {
  return host_registers_.transport_debug(payload);
}

void Mailbox::card_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
  card_registers_.transport(payload);
}

unsigned Mailbox::card_transport_dbg(tlm::tlm_generic_payload& payload) {
  return card_registers_.transport_debug(payload);
}

}  // namespace npuvp::mailbox
