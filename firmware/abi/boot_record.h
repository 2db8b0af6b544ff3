/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * What the boot ROM did and measured, for the firmware at NPU_MAP_BOOT_RECORD and for the host by
 * NPU_MESSAGE_BOOT_RECORD. Each measurement is a SHA-256; `chain` starts as zeros and becomes SHA-256(chain,
 * measurement) with each, in order, so that its last value stands for all of them.
 */
#ifndef NPU_ABI_BOOT_RECORD_H
#define NPU_ABI_BOOT_RECORD_H

#include "abi.h"

#define NPU_BOOT_RECORD_MAGIC 0x5242504eu /* N P B R */
#define NPU_BOOT_RECORD_VERSION 1u

enum npu_boot_source {
	NPU_BOOT_SOURCE_NONE = 0, /* nothing booted yet */
	NPU_BOOT_SOURCE_SLOT_A = 1,
	NPU_BOOT_SOURCE_SLOT_B = 2,
	NPU_BOOT_SOURCE_HOST = 3, /* BOOT_LOAD */
};

enum npu_measurement {
	NPU_MEASURE_ROM = 0,	/* the boot ROM, NPU_MAP_ROM_BYTES */
	NPU_MEASURE_POLICY = 1, /* the 16 bytes from `lifecycle` to `key_slot` of this record */
	NPU_MEASURE_HEADER = 2, /* struct npu_image_header with its signature */
	NPU_MEASURE_PAYLOAD = 3,
	NPU_MEASUREMENTS = 4,
};

struct npu_boot_record {
	uint32_t magic;		    /* NPU_BOOT_RECORD_MAGIC */
	uint32_t version;	    /* NPU_BOOT_RECORD_VERSION */
	uint32_t source;	    /* enum npu_boot_source */
	uint32_t slot_code[2];	    /* enum npu_boot_code of slot A and B; NONE: not tried */
	uint32_t host_code;	    /* of the last BOOT_LOAD */
	uint32_t image_version;	    /* of what booted */
	uint32_t security_version;  /* the same */
	uint32_t lifecycle;	    /* enum npu_lifecycle */
	uint32_t debug_allowed;	    /* 1: debug access is open */
	uint32_t rollback;	    /* lowest security version that may boot */
	uint32_t key_slot;	    /* that signed what booted */
	uint32_t measurements;	    /* valid ones */
	uint32_t reserved[3];	    /* 0 */
	uint8_t measurement[4][32]; /* indexed by enum npu_measurement */
	uint8_t chain[32];
};
static_assert(sizeof(struct npu_boot_record) == 224, "boot record layout");

#endif
