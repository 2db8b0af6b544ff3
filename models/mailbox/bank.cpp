// SPDX-License-Identifier: Apache-2.0
#include "models/mailbox/bank.h"

#include "firmware/abi/mailbox.h"
#include "firmware/abi/memory_map.h"

namespace npuvp::mailbox {

using base::RegisterWrite;

Bank::Bank(base::Environment& environment, const std::string& name, unsigned function, uint32_t abi_version,
           Hooks hooks)
    : host(environment, name + ".host"),
      card(environment, name + ".card"),
      environment_(environment),
      function_(function),
      queues_(function == 0 ? NPU_QUEUES : NPU_VF_QUEUES),
      vectors_(function == 0 ? NPU_MSIX_VECTORS : NPU_VF_MSIX_VECTORS),
      hooks_(std::move(hooks)) {
  host.ABI_VERSION.set_reset(abi_version);
  wire_host();
  wire_card();
}

void Bank::wire_host() {
  host.CONTROL.on_write([this](const RegisterWrite& write) {
    if (host.CONTROL.CARD_RESET.in(write) == 0) return;
    if (function_ == 0) {
      hooks_.card_reset();
    } else {
      reset_function();
    }
  });
  for (auto& word : host.H2C_DATA) {
    word.on_write([this](const RegisterWrite& write) {
      if (host.STATUS.H2C_PENDING.get() != 0) {
        environment_.diagnostics().misuse(host.name() + ".H2C_DATA",
                                          "written before the card has taken the last message", write.origin);
      }
      card.H2C_DATA[write.index].set(host.H2C_DATA[write.index].get());
    });
  }
  host.H2C_DOORBELL.on_write([this](const RegisterWrite& write) {
    if (host.H2C_DOORBELL.RING.in(write) != 0) ring_card(write.origin);
  });
  for (auto& tail : host.SQ_TAIL) {
    tail.on_write([this](const RegisterWrite& write) {
      card.SQ_TAIL[write.index].set(host.SQ_TAIL[write.index].get());
      ring_doorbell(write.index);
    });
  }
  for (auto& head : host.CQ_HEAD) {
    head.on_write([this](const RegisterWrite& write) {
      card.CQ_HEAD[write.index].set(host.CQ_HEAD[write.index].get());
      ring_doorbell(write.index);
    });
  }
}

void Bank::wire_card() {
  card.PENDING.on_write([this](const RegisterWrite&) {
    host.STATUS.H2C_PENDING.set(card.PENDING.MESSAGE.get());
    hooks_.update();
  });
  card.DOORBELLS.on_write([this](const RegisterWrite&) { hooks_.update(); });
  card.CARD_STATE.on_write([this](const RegisterWrite& write) { publish(card.CARD_STATE, write); });
  card.BOOT_CODE.on_write([this](const RegisterWrite& write) { publish(card.BOOT_CODE, write); });
  card.C2H_DOORBELL.on_write([this](const RegisterWrite& write) {
    if (card.C2H_DOORBELL.RING.in(write) != 0) ring_host(write.origin);
  });
  card.RAISE_VECTOR.on_write([this](const RegisterWrite& write) { raise(write.written & write.mask, write.origin); });
  for (auto& word : card.C2H_DATA) {
    word.on_write(
        [this](const RegisterWrite& write) { host.C2H_DATA[write.index].set(card.C2H_DATA[write.index].get()); });
  }
}

void Bank::reset() {
  host.reset();
  card.reset();
}

void Bank::reset_function() {
  const uint64_t card_state = card.CARD_STATE.get();
  const uint64_t boot_code = card.BOOT_CODE.get();
  const uint64_t reset_cause = host.RESET_CAUSE.get();
  reset();
  show(card_state, boot_code);
  host.RESET_CAUSE.set(reset_cause);
  card.PENDING.FUNCTION_RESET.set(1);
  hooks_.update();
}

void Bank::show(uint64_t card_state, uint64_t boot_code) {
  card.CARD_STATE.set(card_state);
  card.BOOT_CODE.set(boot_code);
  host.CARD_STATE.STATE.set(card_state);
  host.BOOT_CODE.set(boot_code);
}

void Bank::publish(base::Register& target, const RegisterWrite& write) {
  if (function_ == 0) {
    hooks_.publish(card.CARD_STATE.get(), card.BOOT_CODE.get());
    return;
  }
  target.set(write.before);
  environment_.diagnostics().misuse(card.name() + "." + target.info().name,
                                    "is the card's: written in the bank of function 0 only", write.origin);
}

void Bank::ring_card(const base::Origin& origin) {
  if (host.STATUS.H2C_PENDING.get() != 0) {
    environment_.diagnostics().misuse(host.name() + ".H2C_DOORBELL", "rung before the card has taken the last message",
                                      origin);
  }
  host.STATUS.H2C_PENDING.set(1);
  card.PENDING.MESSAGE.set(1);
  hooks_.update();
}

void Bank::ring_doorbell(unsigned queue) {
  card.DOORBELLS.set_bits(1ULL << queue);
  hooks_.update();
}

/// Until the firmware has seen a reset of the function, whatever it sends is for the time before.
void Bank::ring_host(const base::Origin& origin) {
  if (card.PENDING.FUNCTION_RESET.get() != 0) return;
  host.STATUS.C2H_PENDING.set(1);
  raise(NPU_VECTOR_MAILBOX, origin);
}

void Bank::raise(uint64_t vector, const base::Origin& origin) {
  if (vector >= vectors_) {
    environment_.diagnostics().misuse(card.name() + ".RAISE_VECTOR", fmt::format("there is no vector {}", vector),
                                      origin);
    return;
  }
  if (card.PENDING.FUNCTION_RESET.get() == 0) hooks_.raise(static_cast<unsigned>(vector));
}

template <typename Map>
bool Bank::names_absent_queue(const Map& map, uint64_t offset) const {
  const auto* target = map.find(offset);
  for (unsigned queue = queues_; queue < NPU_QUEUES && target != nullptr; ++queue) {
    if (target == &map.SQ_TAIL[queue] || target == &map.CQ_HEAD[queue]) return true;
  }
  return false;
}

template <typename Map>
void Bank::transport(Map& map, tlm::tlm_generic_payload& payload) {
  if (names_absent_queue(map, payload.get_address())) {
    environment_.diagnostics().misuse(
        map.name(),
        fmt::format("offset {:#x} belongs to a queue that the function does not have", payload.get_address()),
        base::sideband_of(payload).origin);
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  map.transport(payload);
}

void Bank::host_transport(tlm::tlm_generic_payload& payload) {
  transport(host, payload);
}

void Bank::card_transport(tlm::tlm_generic_payload& payload) {
  transport(card, payload);
}

}  // namespace npuvp::mailbox
