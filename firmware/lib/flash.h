// SPDX-License-Identifier: Apache-2.0
/* The serial flash behind its controller. What is where in it: firmware/abi/flash_layout.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/flash_layout.h"

/* Whether a flash answers that is large enough for the layout. */
bool flash_present(void);

/* Reads any range. Nothing may be in progress. */
void flash_read(uint32_t address, void* data, uint32_t bytes);

/*
 * Start an operation and return; flash_busy() tells when it has ended. `flash_start_program`: `bytes`, 1 to
 * NPU_FLASH_PAGE_BYTES, within one page.
 */
void flash_start_erase(uint32_t sector_address);
void flash_start_program(uint32_t address, const void* data, uint32_t bytes);
bool flash_busy(void);

/* Polls without sleeping until nothing is in progress, which may be what somebody else has begun; false: not by card
 * time `deadline_ns`. For the trap handler. */
bool flash_settle(uint64_t deadline_ns);

/* Erase and program as above, and wait. False if the flash did not become ready in time. */
bool flash_erase(uint32_t sector_address);
bool flash_program(uint32_t address, const void* data, uint32_t bytes);

/* Longer than the operations take by any data sheet. */
#define FLASH_TIMEOUT_NS 1000000000ull
