// SPDX-License-Identifier: Apache-2.0
#include "models/mailbox/mailbox.h"

#include <stdexcept>
#include <string>

#include "firmware/abi/memory_map.h"
#include "models/base/sideband.h"

namespace npuvp::mailbox {

Mailbox::Mailbox(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters)
    : sc_module(name), host("host"), card("card"), environment_(environment) {
  host.register_b_transport(this, &Mailbox::host_transport);
  host.register_transport_dbg(this, &Mailbox::host_transport_dbg);
  card.register_b_transport(this, &Mailbox::card_transport);
  card.register_transport_dbg(this, &Mailbox::card_transport_dbg);
  if (parameters.functions == 0 || parameters.functions > 1 + NPU_MAX_VFS) {
    throw std::invalid_argument("a mailbox has 1 to 17 functions");
  }
  for (unsigned function = 0; function < parameters.functions; ++function) add_bank(function, parameters.abi_version);
  banks_[0].card.FUNCTIONS_PENDING.on_read([this](uint64_t) { return summary(&Bank::pending); });
  banks_[0].card.FUNCTIONS_RINGING.on_read([this](uint64_t) { return summary(&Bank::ringing); });
}

void Mailbox::add_bank(unsigned function, uint32_t abi_version) {
  std::string bank_name = sc_module::name();
  if (function != 0) bank_name += fmt::format(".vf{}", function);
  Bank::Hooks hooks;
  hooks.update = [this] { update_irq(); };
  hooks.raise = [this, function](unsigned vector) {
    if (raise_vector_) raise_vector_(function, vector);
  };
  hooks.publish = [this](uint64_t card_state, uint64_t boot_code) { publish(card_state, boot_code); };
  hooks.card_reset = [this] {
    if (card_reset_) card_reset_();
  };
  banks_.emplace_back(environment_, bank_name, function, abi_version, std::move(hooks));
}

void Mailbox::reset() {
  for (auto& bank : banks_) bank.reset();
  update_irq();
}

void Mailbox::set_reset_cause(uint32_t cause) {
  for (auto& bank : banks_) bank.host.RESET_CAUSE.set(cause);
}

void Mailbox::function_reset(unsigned function) {
  if (function != 0 && function < banks_.size()) banks_[function].reset_function();
}

void Mailbox::publish(uint64_t card_state, uint64_t boot_code) {
  for (auto& bank : banks_) bank.show(card_state, boot_code);
  update_irq();
}

uint64_t Mailbox::summary(bool (Bank::*cause)() const) const {
  uint64_t functions = 0;
  for (size_t function = 0; function < banks_.size(); ++function) {
    if ((banks_[function].*cause)()) functions |= 1ULL << function;
  }
  return functions;
}

/// Virtual functions interrupt only a card whose firmware runs: the boot ROM knows the physical function alone.
void Mailbox::update_irq() {
  const bool ready = banks_[0].host.CARD_STATE.STATE.get() >= HostRegisters::CardStateRegister::kStateReady;
  const uint64_t heard = ready ? ~0ULL : 1;
  message.set((summary(&Bank::pending) & heard) != 0);
  doorbell.set((summary(&Bank::ringing) & heard) != 0);
}

void Mailbox::host_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
  const unsigned function = base::sideband_of(payload).function;
  if (function < banks_.size()) {
    banks_[function].host_transport(payload);
  } else {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
  }
}

unsigned Mailbox::host_transport_dbg(tlm::tlm_generic_payload& payload) {
  const unsigned function = base::sideband_of(payload).function;
  return function < banks_.size() ? banks_[function].host.transport_debug(payload) : 0;
}

void Mailbox::card_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
  const uint64_t address = payload.get_address();
  const uint64_t function = address / NPU_MAP_BLOCK_BYTES;
  if (function >= banks_.size()) {
    environment_.diagnostics().misuse(name(), fmt::format("there is no function {}", function),
                                      base::sideband_of(payload).origin);
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  payload.set_address(address % NPU_MAP_BLOCK_BYTES);
  banks_[function].card_transport(payload);
  payload.set_address(address);
}

unsigned Mailbox::card_transport_dbg(tlm::tlm_generic_payload& payload) {
  const uint64_t address = payload.get_address();
  const uint64_t function = address / NPU_MAP_BLOCK_BYTES;
  if (function >= banks_.size()) return 0;
  payload.set_address(address % NPU_MAP_BLOCK_BYTES);
  const unsigned moved = banks_[function].card.transport_debug(payload);
  payload.set_address(address);
  return moved;
}

}  // namespace npuvp::mailbox
