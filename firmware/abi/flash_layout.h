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

/* Not used by boot and update: crash dumps and the like. */
#define NPU_FLASH_USER 0x300000u
#define NPU_FLASH_LEAST_BYTES 0x400000u

#define NPU_FLASH_SELECTION_MAGIC 0x5342504eu /* N P B S */

struct npu_boot_selection {
	uint32_t magic;	     /* NPU_FLASH_SELECTION_MAGIC */
	uint32_t sequence;   /* one more with each selection */
	uint32_t slot;	     /* tried first */
	uint32_t complement; /* ~(magic ^ sequence ^ slot): half a write is not valid */
};
static_assert(sizeof(struct npu_boot_selection) == 16, "boot selection layout");

#endif
