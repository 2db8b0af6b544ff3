// SPDX-License-Identifier: Apache-2.0
/* Fetches a firmware image, from flash or from the host, and decides whether it may run. */
#pragma once

#include <stdint.h>

#include "firmware/abi/status.h"
#include "firmware/lib/boot_selection.h"

/* What the host offers in a BOOT_LOAD message, unchecked. */
struct boot_request {
  uint64_t bus_address;
  uint32_t bytes;
  uint32_t host_abi_version;
};

/*
 * Copies the image to its load address and checks it; one console line tells what was found. NPU_BOOT_BOOTED: `*entry`
 * is where to go. Anything else: why not, and nothing of the image is left in the TCM.
 */
enum npu_boot_code boot_load(const struct boot_request* request, uint64_t* entry);

/*
 * The same with the image in flash slot `slot`. An erased slot is NPU_BOOT_SLOT_EMPTY. `trial`: the selection by which
 * it is on trial, null if it is not; the attempt is noted in flash, or else this is NPU_BOOT_FLASH_ERROR.
 */
enum npu_boot_code boot_slot(uint32_t slot, const struct boot_selection* trial, uint64_t* entry);
