// SPDX-License-Identifier: Apache-2.0
/*
 * Whether an image may run on this card: the same for boot ROM and update. The header has passed image_check_header and
 * lies where the crypto block can read it.
 */
#pragma once

#include "firmware/lib/crypto.h"
#include "firmware/lib/image.h"

/* Whether the card knows the key, the signature is the key's, the version is not too old, and a debug image may run. */
struct image_verdict image_check_authority(const struct npu_image_header* header);

/* The hash that goes with the image's key. */
enum crypto_hash image_hash(const struct npu_image_header* header);

/* Whether the digest that the crypto block holds is the payload's. */
struct image_verdict image_check_digest(const struct npu_image_header* header);
