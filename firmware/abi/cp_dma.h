/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Descriptor of the command processor's own DMA (models/cp_dma): firmware writes it, hardware follows the list. */
#ifndef NPU_ABI_CP_DMA_H
#define NPU_ABI_CP_DMA_H

#include "abi.h"

#define NPU_CP_DMA_ALIGNMENT 64u
#define NPU_CP_DMA_INTERRUPT 1u /* flag: sets STATUS.MARK when carried out */
#define NPU_CP_DMA_FILL 2u /* flag: writes `source` again and again instead of reading from there */

struct npu_cp_dma_descriptor {
	uint64_t source;      /* card physical address; with NPU_CP_DMA_FILL the pattern */
	uint64_t destination; /* card physical address */
	uint64_t bytes;	      /* 1 to 2^32; with NPU_CP_DMA_FILL a multiple of 8 */
	uint32_t flags;	      /* NPU_CP_DMA_* */
	uint32_t reserved0;   /* 0 */
	uint64_t next; /* card physical address of the next descriptor, aligned; 0: the last one */
	uint64_t reserved[3]; /* 0 */
};
static_assert(sizeof(struct npu_cp_dma_descriptor) == 64, "descriptor layout");

#endif
