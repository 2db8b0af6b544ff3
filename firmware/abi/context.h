/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * Contexts: what the jobs of one program may use of a function, and how urgent they are. A queue belongs to a context;
 * jobs of a context end with it, and a fault is its own affair.
 */
#ifndef NPU_ABI_CONTEXT_H
#define NPU_ABI_CONTEXT_H

#include "abi.h"

/* Within a function a context with work goes before those of lower priority; one that waits rises by a level each
 * NPU_PRIORITY_AGING_MS. Functions do not see each other's priorities: they share the card's time equally. */
enum npu_priority {
	NPU_PRIORITY_LOW = 0,
	NPU_PRIORITY_NORMAL = 1, /* also of a queue that was created without a context */
	NPU_PRIORITY_HIGH = 2,
	NPU_PRIORITY_URGENT = 3,
};
#define NPU_PRIORITIES 4u
#define NPU_PRIORITY_AGING_MS 50u

/* Flags of CONTEXT_CREATE. */
#define NPU_CONTEXT_STOP_ON_FAULT \
	1u /* after a job that failed, those behind it complete as NPU_JOB_ABORTED */
/* Since ABI 1.3: engines reach, of the card's DRAM, what CONTEXT_MAP gave the context, at its physical address; and jobs
 * find scratchpads and shared memory cleared of what other contexts have left. */
#define NPU_CONTEXT_ADDRESS_SPACE 2u

#define NPU_CONTEXT_RANGES 8u

/* A part of the card's DRAM that the context's segments may use; each segment lies inside one. */
struct npu_range {
	uint64_t base; /* card physical address, inside the function's DRAM for jobs */
	uint64_t bytes;
};
static_assert(sizeof(struct npu_range) == 16, "range layout");

/* Rights of CONTEXT_MAP. */
#define NPU_CONTEXT_MAP_READ 1u
#define NPU_CONTEXT_MAP_WRITE 2u
/* CONTEXT_MAP, CONTEXT_UNMAP and DRAM_CLEAR count in pages of this size; one message maps at most so many. */
#define NPU_CONTEXT_PAGE_BYTES 0x10000ull
#define NPU_CONTEXT_MAP_PAGES 4096u

/* Words of CONTEXT_CREATE and bits of CONTEXT_STATUS. */
#define NPU_CONTEXT_WORD(priority, ranges, flags)                           \
	(((uint32_t)(priority)&0xffu) | (((uint32_t)(ranges)&0xffu) << 8) | \
	 ((uint32_t)(flags) << 16))
#define NPU_CONTEXT_STATE_STOPPED 1u /* by a fault, with NPU_CONTEXT_STOP_ON_FAULT */
#define NPU_CONTEXT_STATE_ASID(state) ((state) >> 16)

#endif
