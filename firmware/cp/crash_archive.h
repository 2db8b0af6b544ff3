// SPDX-License-Identifier: Apache-2.0
/*
 * The latest crash dumps in flash: a ring of NPU_FLASH_CRASH_PLACES sectors (firmware/abi/flash_layout.h), which
 * nothing else is written to. A dump goes to the sector behind the newest one, its header last, so that power may fail
 * at any byte: what was complete before stays readable. That sector is erased at boot already, since a hang leaves the
 * trap handler 0.1 s only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/crash.h"

/* At boot: erases the sector of the next dump unless it is blank, and tells on the console of dumps there are. */
void crash_archive_prepare(void);

/*
 * Writes `dump` from the trap handler: without interrupts, in bounded time, and trusting no variable of the firmware.
 * False if the flash did not take it.
 */
bool crash_archive_store(const struct npu_crash_dump* dump);

/* An entry as the host gets it. */
struct crash_archive_record {
  struct npu_crash_entry entry;
  struct npu_crash_dump dump;
};

/* Dumps there are. Nothing may be in progress in the flash. */
uint32_t crash_archive_count(void);

/* Reads the `index`-th newest, from 0; false: there are no so many. */
bool crash_archive_read(uint32_t index, struct crash_archive_record* record);
