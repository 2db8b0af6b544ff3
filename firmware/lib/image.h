// SPDX-License-Identifier: Apache-2.0
/* What the header of a firmware image says by itself (firmware/abi/image.h), in the order in which it makes sense. */
#pragma once

#include <stdint.h>

#include "firmware/abi/image.h"
#include "firmware/abi/status.h"

/* A refusal and the words for the console; reason is NULL with NPU_BOOT_NONE: nothing wrong. */
struct image_verdict {
  enum npu_boot_code code;
  const char* reason;
};

/* Checks everything that the header alone can tell. `bytes`: what is there, header included. */
struct image_verdict image_check_header(const struct npu_image_header* header, uint32_t bytes,
                                        uint32_t host_abi_version);
