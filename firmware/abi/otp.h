/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * What the one-time programmable memory holds: 128 words of 32 fuses. A fuse is 0 until it is programmed and 1 for good.
 * The vendor's fuse map is not public; this one is ours.
 */
#ifndef NPU_ABI_OTP_H
#define NPU_ABI_OTP_H

#define NPU_OTP_WORDS 128u

/* Life cycle as a thermometer code, so that it only moves forward: one more bit from the bottom with each step. */
#define NPU_OTP_LIFECYCLE 0u
#define NPU_OTP_LIFECYCLE_BITS 3u

/* Bit 0: debug access closed whatever the life cycle. */
#define NPU_OTP_DEBUG_DISABLE 1u

/* Bit n: key slot n is revoked. */
#define NPU_OTP_KEY_REVOKED 2u

/* Regions closed for good, NPU_OTP_REGION_*. */
#define NPU_OTP_CLOSED 3u
#define NPU_OTP_REGION_KEYS 0x1u      /* key slots and serial number */
#define NPU_OTP_REGION_LIFECYCLE 0x2u /* life cycle and debug disable */
#define NPU_OTP_REGION_ROLLBACK 0x4u  /* rollback counter */

/* Lowest security version that may boot, as a thermometer code: the number of ones from the bottom. */
#define NPU_OTP_ROLLBACK 4u
#define NPU_OTP_ROLLBACK_WORDS 4u
#define NPU_OTP_ROLLBACK_MOST (NPU_OTP_ROLLBACK_WORDS * 32u)

#define NPU_OTP_SERIAL 8u
#define NPU_OTP_SERIAL_WORDS 2u

/* SHA-256 over struct npu_public_key (image.h) of each key that may sign images; zeros: slot not used. */
#define NPU_OTP_KEY_HASH(slot) (16u + (slot)*NPU_OTP_KEY_HASH_WORDS)
#define NPU_OTP_KEY_HASH_WORDS 8u
#define NPU_OTP_KEY_SLOTS 4u

/* From here on the card's firmware keeps what it likes. */
#define NPU_OTP_USER 64u

enum npu_lifecycle {
	NPU_LIFECYCLE_TEST = 0,	       /* 0b000: fresh from the wafer */
	NPU_LIFECYCLE_DEVELOPMENT = 1, /* 0b001 */
	NPU_LIFECYCLE_PRODUCTION = 2,  /* 0b011: debug access closed */
	NPU_LIFECYCLE_RMA = 3,	       /* 0b111: returned for analysis, debug access open */
};

#endif
