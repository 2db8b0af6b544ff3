// SPDX-License-Identifier: Apache-2.0
// The fake card as its hosts meet it: mailboxes, doorbells, resets of functions, windows.
#include "npu/registers/aperture.h"
#include "npu/registers/mailbox.h"
#include "tests/firmware/fake_access.h"
#include "tests/firmware/fake_card.h"

namespace npuvp::firmware_test {

void FakeCard::send(const Message& message, uint32_t function) {
  Bank& bank = banks_[function];
  bank.h2c = message;
  bank.reply.reset();
  bank.message_pending = true;
  update();
}

void FakeCard::ring_sq_tail(uint32_t queue, uint32_t tail, uint32_t function) {
  banks_[function].sq_tail[queue] = tail;
  banks_[function].doorbells |= 1u << queue;
  update();
}

void FakeCard::ring_cq_head(uint32_t queue, uint32_t head, uint32_t function) {
  banks_[function].cq_head[queue] = head;
  banks_[function].doorbells |= 1u << queue;
  update();
}

void FakeCard::reset_function(uint32_t function) {
  banks_[function] = Bank{};
  banks_[function].reset_pending = true;
  update();
}

uint64_t FakeCard::read_mailbox(uint32_t function, uint32_t offset) const {
  const Bank& bank = banks_[function];
  uint32_t queues = function == 0 ? NPU_QUEUES : NPU_VF_QUEUES;
  if (offset == MAILBOX_CARD_PENDING) return (bank.message_pending ? 1 : 0) | (bank.reset_pending ? 2 : 0);
  if (offset == MAILBOX_CARD_DOORBELLS) return bank.doorbells;
  if (function == 0 && (offset == MAILBOX_CARD_FUNCTIONS_PENDING || offset == MAILBOX_CARD_FUNCTIONS_RINGING)) {
    uint32_t functions = 0;
    for (uint32_t each = 0; each < banks_.size(); ++each) {
      bool pending = banks_[each].message_pending || banks_[each].reset_pending;
      bool bit = offset == MAILBOX_CARD_FUNCTIONS_PENDING ? pending : banks_[each].doorbells != 0;
      functions |= (bit ? 1u : 0u) << each;
    }
    return functions;
  }
  if (inside(offset, MAILBOX_CARD_H2C_DATA(0), 32)) return bank.h2c[(offset - MAILBOX_CARD_H2C_DATA(0)) / 4];
  if (inside(offset, MAILBOX_CARD_SQ_TAIL(0), 4 * queues)) return bank.sq_tail[(offset - MAILBOX_CARD_SQ_TAIL(0)) / 4];
  if (inside(offset, MAILBOX_CARD_CQ_HEAD(0), 4 * queues)) return bank.cq_head[(offset - MAILBOX_CARD_CQ_HEAD(0)) / 4];
  fail_access("unexpected mailbox read", offset);
  return 0;
}

void FakeCard::write_mailbox(uint32_t function, uint32_t offset, uint32_t value) {
  Bank& bank = banks_[function];
  if (offset == MAILBOX_CARD_PENDING) {
    if (value & 1) bank.message_pending = false;
    if (value & 2) bank.reset_pending = false;
  } else if (offset == MAILBOX_CARD_DOORBELLS) {
    bank.doorbells &= ~value;
    if (rings_forever == function) bank.doorbells |= 1;
  } else if (offset == MAILBOX_CARD_CARD_STATE && function == 0) {
    card_state = value;
  } else if (offset == MAILBOX_CARD_BOOT_CODE && function == 0) {
    boot_code = value;
  } else if (offset == MAILBOX_CARD_C2H_DOORBELL) {
    if (!bank.reset_pending) bank.reply = bank.c2h;
  } else if (offset == MAILBOX_CARD_RAISE_VECTOR && function == 0) {
    raised_vectors.push_back(value);
  } else if (offset == MAILBOX_CARD_RAISE_VECTOR && value < NPU_VF_MSIX_VECTORS) {
    if (!bank.reset_pending) raised_by_vf[function].push_back(value);
  } else if (inside(offset, MAILBOX_CARD_C2H_DATA(0), 32)) {
    bank.c2h[(offset - MAILBOX_CARD_C2H_DATA(0)) / 4] = value;
  } else {
    fail_access("unexpected mailbox write", offset, value);
  }
}

void FakeCard::write_aperture(uint32_t offset, uint64_t value) {
  auto& window = windows.at(offset / 16);
  (offset % 16 == 0 ? window.base : window.bytes) = value;
}

}  // namespace npuvp::firmware_test
