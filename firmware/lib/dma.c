// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/dma.h"

#include <stdbool.h>

#include "firmware/abi/memory_map.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/cpu.h"
#include "firmware/lib/mmio.h"
#include "firmware/lib/plic.h"
#include "npu/registers/dma.h"

static uint32_t status(void) {
  return mmio_read32(NPU_MAP_EXTERNAL_HDMA + DMA_STATUS);
}

static void clear_status(void) {
  mmio_write32(NPU_MAP_EXTERNAL_HDMA + DMA_STATUS, DMA_STATUS_DONE_MASK | DMA_STATUS_ERROR_MASK);
}

/* Sleeps until the channel is idle; false when `deadline` has passed first. */
static bool wait_idle(uint64_t deadline) {
  while (status() & DMA_STATUS_BUSY_MASK) {
    if (aclint_time_ns() >= deadline) return false;
    aclint_set_deadline(deadline);
    cpu_wait_for_interrupt();
  }
  return true;
}

static enum dma_result run(uint64_t destination, uint64_t source, uint32_t bytes) {
  uint64_t deadline = aclint_time_ns() + DMA_TIMEOUT_NS;
  if (!wait_idle(deadline)) return DMA_TIMED_OUT;
  clear_status();
  mmio_write64(NPU_MAP_EXTERNAL_HDMA + DMA_SOURCE, source);
  mmio_write64(NPU_MAP_EXTERNAL_HDMA + DMA_DESTINATION, destination);
  mmio_write32(NPU_MAP_EXTERNAL_HDMA + DMA_BYTES, bytes);
  mmio_write32(NPU_MAP_EXTERNAL_HDMA + DMA_IRQ_ENABLE, DMA_IRQ_ENABLE_DONE_MASK);
  cpu_fence();
  mmio_write32(NPU_MAP_EXTERNAL_HDMA + DMA_CONTROL, DMA_CONTROL_START_MASK);
  if (!wait_idle(deadline)) return DMA_TIMED_OUT;
  bool failed = status() & DMA_STATUS_ERROR_MASK;
  clear_status();
  cpu_fence();
  return failed ? DMA_BUS_ERROR : DMA_OK;
}

enum dma_result dma_copy(uint64_t destination, uint64_t source, uint32_t bytes) {
  if (bytes == 0) return DMA_OK;
  uint32_t enabled = plic_enabled();
  plic_enable(PLIC_SOURCE(NPU_IRQ_EXTERNAL_HDMA));
  enum dma_result result = run(destination, source, bytes);
  /* The PLIC latched the channel's request: take it away, or the next wait would return at once. */
  uint32_t claimed = plic_claim();
  if (claimed != 0) plic_complete(claimed);
  plic_enable(enabled);
  return result;
}

uint64_t dma_error_address(void) {
  return mmio_read64(NPU_MAP_EXTERNAL_HDMA + DMA_ERROR_ADDRESS);
}

const char* dma_result_name(enum dma_result result) {
  static const char* const names[] = {"no error", "bus error", "time-out"};
  return names[result];
}
