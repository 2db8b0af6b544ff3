// SPDX-License-Identifier: Apache-2.0
/*
 * The card's side of the host interface: messages, doorbells, interrupts to the host (firmware/abi/mailbox.h), one bank
 * for each PCIe function: 0 the physical one, n virtual function n. Queues and vectors count within the function.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/mailbox.h"
#include "firmware/abi/memory_map.h"

struct mailbox_message {
  uint32_t word[NPU_MAILBOX_WORDS];
};

/* 64 bits spread over words `low` and `low` + 1. */
static inline uint64_t mailbox_address(const struct mailbox_message* message, unsigned low) {
  return ((uint64_t)message->word[low + 1] << 32) | message->word[low];
}

/* Functions with a message or a reset to take, and functions whose doorbells rang: bit n for function n. */
uint32_t mailbox_functions_pending(void);
uint32_t mailbox_functions_ringing(void);

/* Whether virtual function `function` was reset since mailbox_take_reset was called for it last. */
bool mailbox_reset_pending(uint32_t function);
bool mailbox_take_reset(uint32_t function);

/* Copies the waiting message and releases the host's side; false if none waits. */
bool mailbox_take(uint32_t function, struct mailbox_message* message);

/* Hands `reply` to the host; word 0 is made from the request's opcode and sequence, and `status`. */
void mailbox_reply(uint32_t function, const struct mailbox_message* request, struct mailbox_message* reply,
                   uint32_t status);

/* Takes the function's doorbells that rang: bit n for queue n. */
uint32_t mailbox_take_doorbells(uint32_t function);

/* Whether a doorbell of `queue` rings that has not been taken. */
bool mailbox_doorbell_rings(uint32_t function, uint32_t queue);

/* Forgets a doorbell of `queue` that rang before the queue existed. */
void mailbox_clear_doorbell(uint32_t function, uint32_t queue);

/* Ring indices of a queue that the function has, as the host last wrote them, unchecked. */
uint32_t mailbox_sq_tail(uint32_t function, uint32_t queue);
uint32_t mailbox_cq_head(uint32_t function, uint32_t queue);

/* Raises the function's MSI-X vector `vector`. */
void mailbox_raise_vector(uint32_t function, uint32_t vector);

/* Seen by all functions. `state`: MAILBOX_HOST_CARD_STATE_STATE_*; `code`: enum npu_boot_code. */
void mailbox_set_card_state(uint32_t state);
void mailbox_set_boot_code(uint32_t code);
