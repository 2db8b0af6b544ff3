/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * Card physical address map (as seen by the command processor and every engine) and interrupt numbers. The vendor's
 * map is not public; this one is ours. How many Neural Engines and how much DRAM there are is a board parameter,
 * read from the system controller.
 */
#ifndef NPU_ABI_MEMORY_MAP_H
#define NPU_ABI_MEMORY_MAP_H

#define NPU_MAP_ROM 0x00000000ull
#define NPU_MAP_ROM_BYTES 0x00010000ull
#define NPU_MAP_TCM 0x00100000ull
#define NPU_MAP_TCM_BYTES 0x00100000ull
/* The last 64 KiB of the TCM belong to the boot ROM (stack, data, staging of the image header). */
#define NPU_MAP_TCM_ROM_BYTES 0x00010000ull
/* Their begin: struct npu_boot_record (boot_record.h), written by the boot ROM, read by the firmware. */
#define NPU_MAP_BOOT_RECORD 0x001f0000ull
#define NPU_MAP_BOOT_RECORD_BYTES 0x00000400ull

#define NPU_MAP_ACLINT \
	0x02000000ull /* MSWI at +0, MTIMER: mtimecmp at +0x4000, mtime at +0xbff8; 1 ns units */
#define NPU_MAP_ACLINT_BYTES 0x00010000ull
#define NPU_MAP_PLIC 0x0c000000ull
#define NPU_MAP_PLIC_BYTES 0x04000000ull

#define NPU_MAP_UART 0x10000000ull
#define NPU_MAP_WATCHDOG 0x10001000ull
#define NPU_MAP_SYSTEM_CONTROLLER 0x10002000ull
#define NPU_MAP_TIMER 0x10003000ull
#define NPU_MAP_SENSORS 0x10009000ull
#define NPU_MAP_LOG_MANAGER 0x1000a000ull
#define NPU_MAP_CP_DMA 0x1000b000ull
#define NPU_MAP_GPIO 0x10004000ull
#define NPU_MAP_OTP 0x10005000ull
#define NPU_MAP_FLASH 0x10006000ull
#define NPU_MAP_CRYPTO 0x10007000ull
#define NPU_MAP_TRNG 0x10008000ull
#define NPU_MAP_ECC 0x1000c000ull
#define NPU_MAP_MMU 0x1000d000ull
#define NPU_MAP_NOC 0x1000e000ull
#define NPU_MAP_TASK_MANAGER 0x10010000ull
#define NPU_MAP_EXTERNAL_HDMA 0x10020000ull
#define NPU_MAP_NEURAL_DMA 0x10030000ull
#define NPU_MAP_TASK_DMA 0x10040000ull
#define NPU_MAP_APERTURE 0x10050000ull
#define NPU_MAP_DEVICE_SYNC 0x1000f000ull
#define NPU_MAP_DEVICE_HDMA 0x10060000ull
#define NPU_MAP_NEURAL_ENGINE 0x10100000ull /* + engine * NPU_MAP_NEURAL_ENGINE_STRIDE */
#define NPU_MAP_NEURAL_ENGINE_STRIDE 0x00010000ull
#define NPU_MAP_BLOCK_BYTES 0x00001000ull /* size of each register block above from UART on */
/* One bank for each PCIe function: + function * NPU_MAP_BLOCK_BYTES, 0 the physical function, n virtual function n. */
#define NPU_MAP_MAILBOX 0x10200000ull

#define NPU_MAP_SHARED 0x40000000ull
#define NPU_MAP_SCRATCHPAD 0x50000000ull /* + engine * NPU_MAP_SCRATCHPAD_STRIDE */
#define NPU_MAP_SCRATCHPAD_STRIDE 0x00400000ull
#define NPU_MAP_DRAM 0x1000000000ull

/* Host memory through the PCIe outbound window: bit 55 set, the bus address in bits 51:0. */
#define NPU_MAP_HOST 0x0080000000000000ull
#define NPU_MAP_HOST_ADDRESS_MASK 0x000fffffffffffffull

/* System reserve at the bottom of the DRAM, in bytes (288 MiB): command staging, later logs and crash dumps. */
#define NPU_DRAM_RESERVED_BYTES 0x12000000ull
#define NPU_DRAM_COMMAND_STAGING \
	0x00000000ull /* offset in DRAM, NPU_MAX_COMMAND_BYTES a job slot */
#define NPU_DRAM_FAULT_RECORDS \
	0x00800000ull /* rings of struct npu_fault_record, firmware/cp/faults.h */
#define NPU_DRAM_FAULT_RECORDS_BYTES 0x00010000ull
#define NPU_DRAM_PAGE_TABLES 0x02000000ull /* of contexts, firmware/cp/address_spaces.h */
#define NPU_DRAM_PAGE_TABLES_BYTES 0x0e000000ull
#define NPU_DRAM_EVENT_LOG 0x11e00000ull /* ring of struct npu_event */
#define NPU_DRAM_EVENT_LOG_BYTES 0x00100000ull
#define NPU_DRAM_CRASH_DUMP 0x11f00000ull /* struct npu_crash_dump; survives resets of the card */
#define NPU_DRAM_CRASH_DUMP_BYTES 0x00010000ull
#define NPU_DRAM_SELF_TEST 0x11f80000ull
#define NPU_DRAM_SELF_TEST_BYTES 0x00010000ull

/* PLIC sources. */
#define NPU_IRQ_UART 1
#define NPU_IRQ_MAILBOX 2
#define NPU_IRQ_DOORBELL 3
#define NPU_IRQ_TASK_MANAGER 4
#define NPU_IRQ_EXTERNAL_HDMA 5
#define NPU_IRQ_WATCHDOG 6 /* also the machine software interrupt of hart 0 */
#define NPU_IRQ_TIMER 7
#define NPU_IRQ_SENSORS 11
#define NPU_IRQ_LOG_MANAGER 12
#define NPU_IRQ_CP_DMA 13
#define NPU_IRQ_GPIO 8
#define NPU_IRQ_FLASH 9
#define NPU_IRQ_CRYPTO 10
#define NPU_IRQ_ECC 14
#define NPU_IRQ_MMU 15
#define NPU_IRQ_DEVICE_SYNC 16
#define NPU_IRQ_DEVICE_HDMA 17
#define NPU_IRQ_COUNT 32

/*
 * PCIe functions: BAR0 holds the function's mailbox registers (map host) and its MSI-X structures, BAR2 is a window onto
 * the start of the DRAM that the function's jobs may use. Virtual functions have the same layout with fewer queues.
 */
#define NPU_BAR0_BYTES 0x10000u
#define NPU_BAR0_MSIX_TABLE 0x8000u
#define NPU_BAR0_MSIX_PBA 0x9000u
#define NPU_BAR0_DEVICE_SYNC 0xa000u /* flags that other cards write: a page of its own */
#define NPU_DEVICE_SYNC_WINDOW_BYTES 0x1000u
#define NPU_MSIX_VECTORS 32u
#define NPU_QUEUES 16u
#define NPU_MAX_VFS 16u
#define NPU_VF_QUEUES 2u
#define NPU_VF_MSIX_VECTORS \
	4u /* mailbox, one a queue, one spare: powers of two are easier to place */

#endif
