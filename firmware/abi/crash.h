/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * Crash dump of the command processor. The latest one stands in the DRAM's system reserve (NPU_DRAM_CRASH_DUMP), which
 * survives resets of the card: NPU_MESSAGE_CRASH_DUMP. The latest NPU_FLASH_CRASH_PLACES - 1 at least stand in the flash,
 * which survives the loss of power: NPU_MESSAGE_CRASH_ARCHIVE; sw/tools/npu-crash prints them.
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
	/* Since ABI 1.3: the last uncorrectable error that the ECC of a memory has met, of the TCM if it has any. */
	uint32_t memory;	 /* enum npu_ecc_source + 1; 0: there was none since the boot */
	uint32_t memory_errors;	 /* of that memory */
	uint64_t memory_address; /* card physical address of the word */
};
static_assert(sizeof(struct npu_crash_dump) == 2768, "crash dump layout");

/* As long as it was in ABI 1.2, which a host may still ask for. */
#define NPU_CRASH_DUMP_LEAST_BYTES 2752u

#define NPU_CRASH_ENTRY_MAGIC 0x4b43504eu /* N P C K */
#define NPU_CRASH_ENTRY_VERSION 1u

/* In front of a dump in flash, and of what NPU_MESSAGE_CRASH_ARCHIVE hands over. Written when the dump behind it is
 * complete, so one that was cut short is none. */
struct npu_crash_entry {
	uint32_t magic;	  /* NPU_CRASH_ENTRY_MAGIC */
	uint32_t version; /* NPU_CRASH_ENTRY_VERSION */
	uint32_t
		sequence; /* of the card, from 1: the place is (sequence - 1) % NPU_FLASH_CRASH_PLACES */
	uint32_t bytes;	   /* of the dump that follows */
	uint32_t checksum; /* CRC-32 (IEEE 802.3) of the dump */
	uint32_t reserved[10];
	uint32_t header_checksum; /* CRC-32 of the 60 bytes before */
};
static_assert(sizeof(struct npu_crash_entry) == 64, "crash entry layout");

#endif
