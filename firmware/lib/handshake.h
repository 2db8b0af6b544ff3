// SPDX-License-Identifier: Apache-2.0
/* The two messages that ROM and firmware answer alike: HELLO and PING. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/lib/mailbox.h"
#include "firmware/lib/system_controller.h"

/* Who answers. */
struct handshake_identity {
  uint32_t stage; /* enum npu_stage */
  uint32_t image_version;
};

/* Answers `request` and returns true if it is a HELLO or PING, else returns false. */
bool handshake_serve(const struct mailbox_message* request, const struct handshake_identity* identity,
                     const struct board* board);
