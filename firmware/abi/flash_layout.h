/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * What is where in the card's flash. Two sectors hold one boot selection each; the valid one with the higher sequence
 * counts, and a new one always goes over the other, so that one is valid at every moment.
 */
#ifndef NPU_ABI_FLASH_LAYOUT_H
#define NPU_ABI_FLASH_LAYOUT_H

#include "abi.h"

#define NPU_FLASH_SECTOR_BYTES 0x1000u
#define NPU_FLASH_PAGE_BYTES 256u

#define NPU_FLASH_SELECTION(copy) ((copy)*NPU_FLASH_SECTOR_BYTES) /* copy 0 and 1 */
#define NPU_FLASH_SELECTIONS 2u

/* Slot 0 is A, 1 is B. Each holds an image from its first byte. */
#define NPU_FLASH_SLOT(slot) (0x100000u + (slot)*NPU_FLASH_SLOT_BYTES)
#define NPU_FLASH_SLOT_BYTES 0x100000u
#define NPU_FLASH_SLOTS 2u

/* Not used by boot and update. It begins with the ring of crash dumps (crash.h), a sector each. */
#define NPU_FLASH_USER 0x300000u
#define NPU_FLASH_CRASH(place) (NPU_FLASH_USER + (place)*NPU_FLASH_SECTOR_BYTES)
#define NPU_FLASH_CRASH_PLACES 8u
#define NPU_FLASH_LEAST_BYTES 0x400000u

#define NPU_FLASH_SELECTION_MAGIC 0x5342504eu /* N P B S */

struct npu_boot_selection {
	uint32_t magic;	     /* NPU_FLASH_SELECTION_MAGIC */
	uint32_t sequence;   /* one more with each selection */
	uint32_t slot;	     /* tried first, in 7:0; NPU_FLASH_SLOT_ON_TRIAL */
	uint32_t complement; /* ~(magic ^ sequence ^ slot): half a write is not valid */
};
static_assert(sizeof(struct npu_boot_selection) == 16, "boot selection layout");

/* The slot counts for NPU_BOOT_TRIAL_ATTEMPTS boots only, and then the other one, unless its firmware has confirmed. */
#define NPU_FLASH_SLOT_ON_TRIAL 0x100u
#define NPU_BOOT_TRIAL_ATTEMPTS 3u

/* Beside the selection in its sector. A word is ones until it is programmed; any other value counts as written, so that
 * it does not matter at which bit power fails. */
#define NPU_FLASH_TRIAL(copy) (NPU_FLASH_SELECTION(copy) + NPU_FLASH_PAGE_BYTES)
#define NPU_FLASH_BLANK_WORD 0xffffffffu
#define NPU_FLASH_TRIAL_CONFIRMED 0x4b4f504eu /* N P O K */

struct npu_boot_attempt {
	uint32_t begun; /* 0: programmed by the boot ROM before it starts the image */
	uint32_t end;	/* NPU_BOOT_END: programmed by the boot ROM after the reset that ended it */
};

struct npu_boot_trial {
	struct npu_boot_attempt attempt[NPU_BOOT_TRIAL_ATTEMPTS];
	uint32_t
		confirmed; /* NPU_FLASH_TRIAL_CONFIRMED: programmed by the firmware that is on trial */
	uint32_t reserved; /* ones */
};
static_assert(sizeof(struct npu_boot_trial) == 32, "boot trial layout");

#endif
