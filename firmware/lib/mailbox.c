// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/mailbox.h"

#include "firmware/lib/cpu.h"
#include "firmware/lib/mmio.h"
#include "npu/registers/mailbox.h"

static uint32_t read_register(uint32_t function, uint32_t offset) {
  return mmio_read32(NPU_MAP_MAILBOX + function * NPU_MAP_BLOCK_BYTES + offset);
}
static void write_register(uint32_t function, uint32_t offset, uint32_t value) {
  mmio_write32(NPU_MAP_MAILBOX + function * NPU_MAP_BLOCK_BYTES + offset, value);
}

uint32_t mailbox_functions_pending(void) {
  return read_register(0, MAILBOX_CARD_FUNCTIONS_PENDING);
}

uint32_t mailbox_functions_ringing(void) {
  return read_register(0, MAILBOX_CARD_FUNCTIONS_RINGING);
}

bool mailbox_reset_pending(uint32_t function) {
  return read_register(function, MAILBOX_CARD_PENDING) & MAILBOX_CARD_PENDING_FUNCTION_RESET_MASK;
}

bool mailbox_take_reset(uint32_t function) {
  if (!mailbox_reset_pending(function)) return false;
  write_register(function, MAILBOX_CARD_PENDING, MAILBOX_CARD_PENDING_FUNCTION_RESET_MASK);
  return true;
}

bool mailbox_take(uint32_t function, struct mailbox_message* message) {
  if (!(read_register(function, MAILBOX_CARD_PENDING) & MAILBOX_CARD_PENDING_MESSAGE_MASK)) return false;
  for (unsigned i = 0; i < NPU_MAILBOX_WORDS; ++i) {
    message->word[i] = read_register(function, MAILBOX_CARD_H2C_DATA(i));
  }
  write_register(function, MAILBOX_CARD_PENDING, MAILBOX_CARD_PENDING_MESSAGE_MASK);
  return true;
}

void mailbox_reply(uint32_t function, const struct mailbox_message* request, struct mailbox_message* reply,
                   uint32_t status) {
  reply->word[0] =
      NPU_MAILBOX_WORD0(NPU_MAILBOX_OPCODE(request->word[0]), NPU_MAILBOX_SEQUENCE(request->word[0]), status);
  for (unsigned i = 0; i < NPU_MAILBOX_WORDS; ++i) {
    write_register(function, MAILBOX_CARD_C2H_DATA(i), reply->word[i]);
  }
  cpu_fence();
  write_register(function, MAILBOX_CARD_C2H_DOORBELL, MAILBOX_CARD_C2H_DOORBELL_RING_MASK);
}

uint32_t mailbox_take_doorbells(uint32_t function) {
  uint32_t doorbells = read_register(function, MAILBOX_CARD_DOORBELLS);
  /* Cleared before the indices are read: a doorbell that rings in between rings again. */
  write_register(function, MAILBOX_CARD_DOORBELLS, doorbells);
  cpu_fence();
  return doorbells;
}

bool mailbox_doorbell_rings(uint32_t function, uint32_t queue) {
  return read_register(function, MAILBOX_CARD_DOORBELLS) >> queue & 1u;
}

void mailbox_clear_doorbell(uint32_t function, uint32_t queue) {
  write_register(function, MAILBOX_CARD_DOORBELLS, 1u << queue);
}

uint32_t mailbox_sq_tail(uint32_t function, uint32_t queue) {
  return read_register(function, MAILBOX_CARD_SQ_TAIL(queue));
}

uint32_t mailbox_cq_head(uint32_t function, uint32_t queue) {
  return read_register(function, MAILBOX_CARD_CQ_HEAD(queue));
}

void mailbox_raise_vector(uint32_t function, uint32_t vector) {
  write_register(function, MAILBOX_CARD_RAISE_VECTOR, vector);
}

void mailbox_set_card_state(uint32_t state) {
  write_register(0, MAILBOX_CARD_CARD_STATE, state);
}

void mailbox_set_boot_code(uint32_t code) {
  write_register(0, MAILBOX_CARD_BOOT_CODE, code);
}
