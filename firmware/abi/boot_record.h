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

/* A firmware that an update has brought is on trial until it confirms that it works (flash_layout.h). */
enum npu_trial {
	NPU_TRIAL_NONE = 0,	 /* the slot that is selected is not on trial, or none is */
	NPU_TRIAL_RUNS = 1,	 /* what runs is on trial */
	NPU_TRIAL_CONFIRMED = 2, /* it was, until this run confirmed it */
	NPU_TRIAL_FAILED =
		3, /* the slot that is selected never confirmed; the other one was tried */
};

/* How an attempt ended: reset cause (SYSTEM_CONTROLLER_RESET_CAUSE) in 7:0; in 15:8 the trap that came before, as
 * NPU_BOOT_END_NO_TRAP or RISC-V mcause in 14:8 with 15 set for an interrupt, of which 3 is the watchdog's warning. */
#define NPU_BOOT_END(cause, trap) ((cause) | (uint32_t)(trap) << 8)
#define NPU_BOOT_END_CAUSE(end) ((end)&0xffu)
#define NPU_BOOT_END_TRAP(end) (((end) >> 8) & 0xffu)
#define NPU_BOOT_END_NO_TRAP 0x7fu
#define NPU_BOOT_END_UNKNOWN 0xffffffffu

struct npu_boot_record {
	uint32_t magic;		   /* NPU_BOOT_RECORD_MAGIC */
	uint32_t version;	   /* NPU_BOOT_RECORD_VERSION */
	uint32_t source;	   /* enum npu_boot_source */
	uint32_t slot_code[2];	   /* enum npu_boot_code of slot A and B; NONE: not tried */
	uint32_t host_code;	   /* of the last BOOT_LOAD */
	uint32_t image_version;	   /* of what booted */
	uint32_t security_version; /* the same */
	uint32_t lifecycle;	   /* enum npu_lifecycle */
	uint32_t debug_allowed;	   /* 1: debug access is open */
	uint32_t rollback;	   /* lowest security version that may boot */
	uint32_t key_slot;	   /* that signed what booted */
	uint32_t measurements;	   /* valid ones */
	uint32_t trial;	    /* since ABI 1.3: enum npu_trial in 7:0, attempts begun in 15:8 */
	uint32_t trial_end; /* of the last attempt that ended, NPU_BOOT_END; UNKNOWN: none has */
	uint32_t reserved;  /* 0 */
	uint8_t measurement[4][32]; /* indexed by enum npu_measurement */
	uint8_t chain[32];
};
static_assert(sizeof(struct npu_boot_record) == 224, "boot record layout");

#endif
