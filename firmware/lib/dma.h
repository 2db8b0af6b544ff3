// SPDX-License-Identifier: Apache-2.0
/*
 * The firmware channel of the External HDMA engine: copies between host memory, TCM and DRAM by card physical address,
 * and clears.
 * The hart sleeps in WFI meanwhile with only the channel's interrupt enabled in the PLIC; other sources stay pending.
 * Uses the alarm of aclint.h: arm your own after a copy.
 */
#pragma once

#include <stdint.h>

enum dma_result {
  DMA_OK = 0,
  DMA_BUS_ERROR = 1, /* memory or PCIe refused; dma_error_address() tells where */
  DMA_TIMED_OUT = 2, /* the channel did not finish within DMA_TIMEOUT_NS and may still write its destination */
};

/* Longer than any copy firmware starts, at any link speed, plus a PCIe completion time-out. */
#define DMA_TIMEOUT_NS 100000000ull

/*
 * Copies `bytes` and returns when they are visible. Host memory is reached in the name of PCIe function `function`,
 * whose address space the host's bus addresses belong to. A channel still busy from a copy that timed out is waited for
 * first, so a destination is never written behind the back of a later copy that succeeded.
 */
enum dma_result dma_copy(uint32_t function, uint64_t destination, uint64_t source, uint32_t bytes);

/* Writes `bytes` zeros to card memory. */
enum dma_result dma_fill(uint64_t destination, uint32_t bytes);

/* First address that failed in the last copy that returned DMA_BUS_ERROR. */
uint64_t dma_error_address(void);

/* "bus error" or "time-out", for the console. */
const char* dma_result_name(enum dma_result result);

/* Card physical address of an object of the firmware's own (in the TCM). */
static inline uint64_t dma_address(const volatile void* object) {
  return (uint64_t)(uintptr_t)object;
}
