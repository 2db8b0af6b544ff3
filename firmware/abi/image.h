/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * Firmware image: this header, then the payload. Written by sw/tools/npu-image, signed by sw/tools/npu-sign, checked by
 * the boot ROM and, before it replaces anything in flash, by the firmware.
 *
 * The signature is ECDSA over the header up to `signature`; the header holds the payload's digest. Hashes are SHA-256
 * with P-256 and SHA-384 with P-384. Byte strings shorter than their field are followed by zeros.
 */
#ifndef NPU_ABI_IMAGE_H
#define NPU_ABI_IMAGE_H

#include "abi.h"

#define NPU_IMAGE_MAGIC 0x4657504eu /* "NPWF" read as bytes: N P W F */
#define NPU_IMAGE_HEADER_VERSION 2u
#define NPU_IMAGE_DIGEST_BYTES 48u

#define NPU_KEY_TYPE_P256 1u
#define NPU_KEY_TYPE_P384 2u

/* A development build that is of no use without a debugger: refused where debug access is closed. */
#define NPU_IMAGE_FLAG_DEBUG 0x1u
#define NPU_IMAGE_FLAGS 0x1u /* all of them */

/* SHA-256 of this is what the one-time programmable memory holds of a key. */
struct npu_public_key {
	uint32_t type;	   /* NPU_KEY_TYPE_* */
	uint32_t reserved; /* 0 */
	uint8_t point[96]; /* X then Y, big-endian, 32 or 48 bytes each */
};
static_assert(sizeof(struct npu_public_key) == 104, "public key layout");

struct npu_image_header {
	uint32_t magic;		   /* NPU_IMAGE_MAGIC */
	uint32_t header_version;   /* NPU_IMAGE_HEADER_VERSION */
	uint32_t abi_version;	   /* NPU_ABI_VERSION the payload was built with */
	uint32_t image_version;	   /* major << 16 | minor << 8 | patch, for people */
	uint32_t payload_bytes;	   /* follows the header directly; a multiple of 8 */
	uint32_t flags;		   /* NPU_IMAGE_FLAG_* */
	uint64_t load_address;	   /* card physical address, inside the TCM */
	uint64_t entry;		   /* inside the payload, 4-byte aligned */
	uint32_t security_version; /* refused below the card's rollback counter */
	uint32_t key_slot;	   /* NPU_OTP_KEY_HASH slot that knows `key` */
	uint8_t payload_digest[NPU_IMAGE_DIGEST_BYTES];
	uint8_t reserved[56]; /* zeros */
	struct npu_public_key key;
	/* Signed up to here. */
	uint8_t signature[96]; /* r then s, big-endian, 32 or 48 bytes each */
};
static_assert(sizeof(struct npu_image_header) == 352, "image header layout");

#define NPU_IMAGE_SIGNED_BYTES 256u

#endif
