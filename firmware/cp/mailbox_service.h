// SPDX-License-Identifier: Apache-2.0
/*
 * Answers the messages of all functions (firmware/abi/mailbox.h), one of each at a time. A reply may come later:
 * QUEUE_DESTROY and CONTEXT_DESTROY are answered when the queues have drained, PARTITION when the memory is cleared,
 * and a function whose memory is being cleared waits with whatever it asks. Resets of virtual functions arrive here
 * too.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/lib/system_controller.h"

/* `board` must outlive all calls. */
void mailbox_service_init(const struct board* board);

/* The mailbox has interrupted: resets first, then at most one message of each function that may be served now
 * (upkeep.h). */
void mailbox_service_serve(void);

/* Answers what has waited and need not wait any more; true if there was something. */
bool mailbox_service_serve_waiting(uint64_t now_ns);

/* When mailbox_service_serve_waiting must be called at the latest, card time in ns, or ACLINT_NEVER. */
uint64_t mailbox_service_deadline(void);
