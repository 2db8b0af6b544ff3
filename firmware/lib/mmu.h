// SPDX-License-Identifier: Apache-2.0
/*
 * The device MMU: address spaces of contexts, their page tables in DRAM, and the faults of engines.
 *
 * An address space takes its tables from a range of DRAM that the caller gives it. Tables that have become empty stay
 * until the address space is made anew.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/page_table.h"

enum mmu_result {
  MMU_OK = 0,
  MMU_BAD_ARGUMENT = 1, /* no such ASID, not aligned, outside of the window or the DRAM, or empty */
  MMU_MAPPED = 2,       /* part of the range is mapped already */
  MMU_NOT_MAPPED = 3,   /* part of the range is not mapped, or only as a part of a larger page */
  MMU_NO_TABLES = 4,    /* the range for tables is used up */
};

/* What is enough for the tables of an address space that maps one range of `bytes`, however it is aligned. */
#define MMU_TABLE_BYTES(bytes) \
  (0x2000ull + ((bytes) / (1ull << 30) + 2) * 0x1000ull + ((bytes) / (1ull << 21) + 2) * 0x100ull)

/* An address space; fields are for mmu.c only. */
struct mmu_space {
  uint32_t asid;
  uint64_t root;
  uint64_t tables_next, tables_end;
};

/* No address spaces, an empty TLB and FIFO; faults interrupt. */
void mmu_init(void);

/*
 * Makes address space `asid` (1..NPU_MMU_ASIDS - 1), which maps nothing. Tables: [tables, tables + bytes) in DRAM, 4
 * KiB aligned, at least 4 KiB. The engines can use it from now on.
 */
enum mmu_result mmu_create(struct mmu_space* space, uint32_t asid, uint64_t tables, uint64_t bytes);

/* Takes it away from the engines. No command that uses it may run. */
void mmu_destroy(struct mmu_space* space);

/*
 * Maps [address, address + bytes) of the window to `physical`, all multiples of 64 KiB; large pages where both sides
 * are aligned to 2 MiB. `access`: NPU_PTE_READ, NPU_PTE_WRITE or both. Maps all of it or nothing.
 */
enum mmu_result mmu_map(struct mmu_space* space, uint64_t address, uint64_t physical, uint64_t bytes, uint64_t access);

/* Takes all of the range away, or nothing. A large page goes as a whole. The TLB forgets it. */
enum mmu_result mmu_unmap(struct mmu_space* space, uint64_t address, uint64_t bytes);

/* Whether all of [address, address + bytes) may be read. */
bool mmu_readable(struct mmu_space* space, uint64_t address, uint64_t bytes);

struct mmu_fault {
  uint32_t asid;
  uint64_t address; /* as the engine used it */
  bool write;
  uint32_t reason;    /* enum npu_mmu_fault */
  uint32_t initiator; /* enum npu_mmu_initiator */
  uint32_t engine;
  uint32_t context, function;
};

/* The oldest fault that was not taken yet; false: none. */
bool mmu_take_fault(struct mmu_fault* fault);

/* Whether faults were lost since the last call because nobody took them. */
bool mmu_take_overflow(void);

/* "not mapped", "Neural DMA", for the console; never null. */
const char* mmu_reason_name(uint32_t reason);
const char* mmu_initiator_name(uint32_t initiator);
