// SPDX-License-Identifier: Apache-2.0
/* The two messages that ROM and firmware answer alike: HELLO and PING. */
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

/* Answers `request` of `function` and returns true if it is a HELLO or PING, else returns false. */
bool handshake_serve(uint32_t function, const struct mailbox_message* request,
                     const struct handshake_identity* identity);
