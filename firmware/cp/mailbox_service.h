// SPDX-License-Identifier: Apache-2.0
/* Answers the host's messages (firmware/abi/mailbox.h). QUEUE_DESTROY is answered when the queue has drained. */
#pragma once

#include <stdint.h>

#include "firmware/lib/system_controller.h"

/* `board` must outlive all calls. */
void mailbox_service_init(const struct board* board);

/* The mailbox has interrupted. */
void mailbox_service_serve_message(void);

/* Answers a pending QUEUE_DESTROY when its queue has drained, or does not drain any more. */
void mailbox_service_serve_drain(uint64_t now_ns);

/* When mailbox_service_serve_drain must be called at the latest, card time in ns, or ACLINT_NEVER. */
uint64_t mailbox_service_deadline(void);
