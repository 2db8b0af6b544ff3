// SPDX-License-Identifier: Apache-2.0
/* Fetches a firmware image from the host and decides whether it may run. */
#pragma once

#include <stdint.h>

#include "firmware/abi/status.h"

/* The host's words of a BOOT_LOAD message. */
struct boot_request {
  uint64_t bus_address; /* of the image, contiguous, 8-byte aligned */
  uint32_t bytes;
  uint32_t host_abi_version;
};

/*
 * Copies the image into the TCM and verifies it. NPU_BOOT_BOOTED with `*entry` set, or a refusal after one line on the
 * console. The host may rewrite the image meanwhile: every check uses the card's own copy.
 */
enum npu_boot_code boot_load(const struct boot_request* request, uint64_t* entry);
