// SPDX-License-Identifier: Apache-2.0
/*
 * The boot ROM: starts the firmware in flash, from the slot that is selected or else from the other one. If neither has
 * an image that passes every check, it answers the physical function until the host brings one. Virtual functions wait
 * for the firmware.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Console banner, boot record, registers, CARD_STATE LOADING. */
void rom_init(void);

/* Tries the flash; true when an image was verified and `*entry` is where to go. Else CARD_STATE is ROM. */
bool rom_start(uint64_t* entry);

/* Answers all waiting messages; true when an image was verified and `*entry` is where to go. */
bool rom_serve(uint64_t* entry);
