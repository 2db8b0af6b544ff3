// SPDX-License-Identifier: Apache-2.0
/* The messages that ROM and firmware answer alike: HELLO, PING and BOOT_RECORD. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/lib/mailbox.h"

/* Who answers, and what the function that asks has of the card. */
struct handshake_identity {
  uint32_t stage; /* enum npu_stage */
  uint32_t image_version;
  uint32_t neural_engines;
  uint32_t queues;
  uint64_t job_base; /* DRAM for its jobs, card physical address */
  uint64_t job_bytes;
};

/* Answers `request` of `function` and returns true if it is one of them, else returns false. Who may send it is
 * the caller's to check. */
bool handshake_serve(uint32_t function, const struct mailbox_message* request,
                     const struct handshake_identity* identity);
