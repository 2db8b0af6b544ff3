// SPDX-License-Identifier: Apache-2.0
/* The messages about contexts and faults that are answered at once (firmware/abi/mailbox.h). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/lib/mailbox.h"

/* Answers CONTEXT_CREATE, CONTEXT_STATUS and FAULT_READ of `function`; false if `message` is none of them. */
bool context_messages_serve(uint32_t function, const struct mailbox_message* message);
