// SPDX-License-Identifier: Apache-2.0
/* Checks of a firmware image (firmware/abi/image.h), in the order in which they make sense. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/image.h"
#include "firmware/abi/status.h"

/* A refusal and the words for the console; reason is NULL with NPU_BOOT_NONE: nothing wrong. */
struct image_verdict {
  enum npu_boot_code code;
  const char* reason;
};

/* Checks everything that the header alone can tell. `bytes`: what the host offers, header included. */
struct image_verdict image_check_header(const struct npu_image_header* header, uint32_t bytes,
                                        uint32_t host_abi_version);

/* Whether SHA-256 over the header, its digest as zeros, and `payload` is the header's digest. */
bool image_digest_matches(const struct npu_image_header* header, const uint8_t* payload);
