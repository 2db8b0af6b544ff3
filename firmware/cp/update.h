// SPDX-License-Identifier: Apache-2.0
/*
 * Firmware update (messages UPDATE_* in firmware/abi/mailbox.h): writes an image to the flash slot that the card did
 * not boot from, checks it there as the boot ROM would, and selects it by one write of a page.
 *
 * Power may fail anywhere: until the selection is complete the card boots what it booted before, whose slot and
 * selection are not touched. One step of at most 4 KiB is done at a time, jobs go on meanwhile.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/lib/mailbox.h"

void update_init(void);

/* Whether `opcode` is a message of the update. */
bool update_message(uint32_t opcode);

/* Begins to serve such a message of the physical function. False: answered. True: update_poll answers it later. */
bool update_serve(const struct mailbox_message* message);

/* Goes on with the message being served. True: it is answered now. */
bool update_poll(uint64_t now_ns);

/* When update_poll should be called next, card time in ns. */
uint64_t update_deadline(void);
