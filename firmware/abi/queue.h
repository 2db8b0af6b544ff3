/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * Submission and completion rings in host memory. A ring has 2^n entries, one stays empty. The host advances the
 * submission tail through doorbell SQ_TAIL[queue]; the card writes completions and flips `phase` at each wrap (first
 * pass 1), raises the queue's MSI-X vector, and the host frees them through CQ_HEAD[queue].
 */
#ifndef NPU_ABI_QUEUE_H
#define NPU_ABI_QUEUE_H

#include "abi.h"
#include "status.h"

#define NPU_QUEUE_LOG2_MIN 2u
#define NPU_QUEUE_LOG2_MAX 10u
#define NPU_MAX_SEGMENTS 16u
#define NPU_MAX_COMMAND_BYTES (256u * 1024u)
#define NPU_HOST_PAGE_BYTES 4096u

enum npu_submission_opcode {
	NPU_SUBMIT_NOP = 0,	/* completes at once */
	NPU_SUBMIT_EXECUTE = 1, /* runs a command stream */
};

struct npu_submission {
	uint32_t opcode;  /* enum npu_submission_opcode */
	uint32_t context; /* as given at QUEUE_CREATE */
	uint64_t job;	  /* returned in the completion */
	uint64_t
		segment_table; /* bus address of struct npu_segment[segment_count], contiguous, 32-byte aligned */
	uint32_t segment_count;	  /* 1..NPU_MAX_SEGMENTS */
	uint32_t command_segment; /* index of the segment that holds the commands */
	uint64_t command_offset;  /* bytes into it, a multiple of sizeof(struct npu_command) */
	uint32_t
		command_bytes; /* a multiple of sizeof(struct npu_command), at most NPU_MAX_COMMAND_BYTES */
	uint32_t timeout_us;  /* of card time, from start; 0: none */
	uint64_t reserved[2]; /* 0 */
};
static_assert(sizeof(struct npu_submission) == 64, "submission layout");

enum npu_segment_kind {
	NPU_SEGMENT_DEVICE = 1, /* base: card physical address in DRAM */
	NPU_SEGMENT_HOST_PAGES =
		2, /* base: bus address of a list of u64 bus addresses, one per 4 KiB page; the list itself is contiguous */
};

#define NPU_SEGMENT_WRITABLE 1u /* flag: engines may write it */

struct npu_segment {
	uint64_t base;
	uint64_t size;	   /* bytes */
	uint32_t kind;	   /* enum npu_segment_kind */
	uint32_t flags;	   /* NPU_SEGMENT_* */
	uint64_t reserved; /* 0 */
};
static_assert(sizeof(struct npu_segment) == 32, "segment layout");

struct npu_completion {
	uint64_t job;
	uint32_t status;	/* enum npu_job_status */
	uint32_t fault;		/* enum npu_fault */
	uint64_t fault_address; /* as the command gave it */
	uint32_t fault_command; /* index in the command stream */
	uint32_t commands;	/* retired */
	uint64_t start_ns;	/* card time, 1 ns units of the ACLINT mtime */
	uint64_t end_ns;
	uint64_t reserved;
	uint16_t queue;
	uint16_t sq_head; /* submissions before this are consumed */
	uint32_t phase;	  /* written last */
};
static_assert(sizeof(struct npu_completion) == 64, "completion layout");

#endif
