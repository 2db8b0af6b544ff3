/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * Crash dump of the command processor, in the DRAM's system reserve (NPU_DRAM_CRASH_DUMP), which survives resets of the
 * card. The host reads it with NPU_MESSAGE_CRASH_DUMP after the next boot; tests/system shows how.
 */
#ifndef NPU_ABI_CRASH_H
#define NPU_ABI_CRASH_H

#include "abi.h"

#define NPU_CRASH_MAGIC 0x48535243u /* "CRSH"; written last */
#define NPU_CRASH_VERSION 1u
#define NPU_CRASH_STACK_BYTES 2048u
#define NPU_CRASH_QUEUES 48u

struct npu_crash_queue {
	uint16_t function;
	uint16_t queue;
	uint32_t pending; /* submissions */
};
static_assert(sizeof(struct npu_crash_queue) == 8, "crash queue layout");

struct npu_crash_dump {
	uint32_t magic;	  /* NPU_CRASH_MAGIC */
	uint32_t version; /* NPU_CRASH_VERSION */
	uint32_t bytes;	  /* of this structure */
	uint32_t firmware_version;
	uint64_t time_ns; /* card time */
	uint64_t x[31];	  /* x[n - 1] is register n */
	uint64_t pc;
	uint64_t mcause; /* RISC-V; interrupt 3: the watchdog */
	uint64_t mtval;
	uint64_t mstatus;
	uint32_t jobs_running;
	uint32_t queue_count; /* valid entries of `queue` */
	struct npu_crash_queue queue[NPU_CRASH_QUEUES];
	uint32_t stack_bytes; /* valid bytes of `stack`, from register sp upwards */
	uint32_t reserved;
	uint8_t stack[NPU_CRASH_STACK_BYTES];
};
static_assert(sizeof(struct npu_crash_dump) == 2752, "crash dump layout");

#endif
