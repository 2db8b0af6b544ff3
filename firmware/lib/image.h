// SPDX-License-Identifier: Apache-2.0
/*
 * Checks of a firmware image (firmware/abi/image.h), the same for boot ROM and update. In this order: what the header
 * says must make sense, its signature must be by a key that the card knows, then what it says counts.
 */
#pragma once

#include <stdint.h>

#include "firmware/abi/image.h"
#include "firmware/abi/status.h"
#include "firmware/lib/crypto.h"

/* A refusal and the words for the console; reason is NULL with NPU_BOOT_NONE: nothing wrong. */
struct image_verdict {
  enum npu_boot_code code;
  const char* reason;
};

/* Checks everything that the header alone can tell. `bytes`: what is there, header included. */
struct image_verdict image_check_header(const struct npu_image_header* header, uint32_t bytes,
                                        uint32_t host_abi_version);

/*
 * Whether the card knows the key, the signature is the key's, the version is not too old, and a debug image may run.
 * The header has passed image_check_header and lies where the crypto block can read it.
 */
struct image_verdict image_check_authority(const struct npu_image_header* header);

/* The hash that goes with the image's key. */
enum crypto_hash image_hash(const struct npu_image_header* header);

/* Whether the digest that the crypto block holds is the payload's. */
struct image_verdict image_check_digest(const struct npu_image_header* header);
