// SPDX-License-Identifier: Apache-2.0
/*
 * The boot ROM: answers the physical function until the host brings a firmware image that passes every check. Virtual
 * functions wait for the firmware.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Console banner, registers, CARD_STATE ROM. */
void rom_init(void);

/* Answers all waiting messages; true when an image was verified and `*entry` is where to go. */
bool rom_serve(uint64_t* entry);
