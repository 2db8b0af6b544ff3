/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * Page tables of the device MMU (models/mmu). The firmware writes them into DRAM, the MMU walks them. An address space
 * (ASID) covers the DRAM window of the card's address map: 64 GiB from NPU_MMU_VIRTUAL_BASE on.
 *
 * Three levels of 8-byte little-endian entries. Each table is as aligned as it is long.
 *
 *   level              entries  an entry covers  is
 *   root                    64  1 GiB            a directory
 *   directory              512  2 MiB            a page of 2 MiB, or a table
 *   table                   32  64 KiB           a page of 64 KiB
 *
 * Like the rest of the card's address map, the format is ours: the vendor's is not public.
 */
#ifndef NPU_ABI_PAGE_TABLE_H
#define NPU_ABI_PAGE_TABLE_H

#include "memory_map.h"

#define NPU_MMU_FAULTS 16u /* records that the fault FIFO holds */
#define NPU_MMU_ASIDS 64u  /* 0: accesses are not translated */
#define NPU_MMU_VIRTUAL_BASE NPU_MAP_DRAM
#define NPU_MMU_VIRTUAL_BYTES 0x1000000000ull

#define NPU_PAGE_LARGE_BYTES 0x200000ull
#define NPU_PAGE_SMALL_BYTES 0x10000ull

#define NPU_MMU_LEVELS 3u
#define NPU_MMU_ROOT_SHIFT 30u
#define NPU_MMU_ROOT_ENTRIES 64u
#define NPU_MMU_DIRECTORY_SHIFT 21u
#define NPU_MMU_DIRECTORY_ENTRIES 512u
#define NPU_MMU_TABLE_SHIFT 16u
#define NPU_MMU_TABLE_ENTRIES 32u

/* Bits of an entry; all others are 0. */
#define NPU_PTE_VALID 0x1ull
#define NPU_PTE_READ 0x2ull		      /* of a page: engines may read it */
#define NPU_PTE_WRITE 0x4ull		      /* of a page: engines may write it */
#define NPU_PTE_TABLE 0x8ull		      /* the address is that of the next level */
#define NPU_PTE_ADDRESS 0x000fffffffffff00ull /* card physical address, in DRAM */

/* Why an access was refused (register MMU.FAULT_INFO). */
enum npu_mmu_fault {
	NPU_MMU_FAULT_NONE = 0,
	NPU_MMU_FAULT_UNMAPPED = 1,   /* no valid entry */
	NPU_MMU_FAULT_PERMISSION = 2, /* the page may not be read, or not be written */
	NPU_MMU_FAULT_BAD_ENTRY =
		3,		/* reserved bits, alignment, or an address outside of the DRAM */
	NPU_MMU_FAULT_WALK = 4, /* a table could not be read: bus error or poison */
	NPU_MMU_FAULT_NO_SPACE = 5, /* the ASID has no root table, or there is no such ASID */
	NPU_MMU_FAULT_RANGE = 6,    /* the access leaves the window */
};

/* Who made an access (register MMU.FAULT_INFO). */
enum npu_mmu_initiator {
	NPU_MMU_TASK_MANAGER = 0,
	NPU_MMU_EXTERNAL_HDMA = 1,
	NPU_MMU_NEURAL_DMA = 2,
	NPU_MMU_TASK_DMA = 3,
	NPU_MMU_INITIATORS
};

#endif
