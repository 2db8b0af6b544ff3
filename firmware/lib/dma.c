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

struct channel_work {
  uint32_t function;
  uint64_t destination, source;
  uint32_t bytes;
  uint32_t start; /* of register CONTROL */
};

static enum dma_result run(const struct channel_work* work) {
  uint64_t deadline = aclint_time_ns() + DMA_TIMEOUT_NS;
  if (!wait_idle(deadline)) return DMA_TIMED_OUT;
  clear_status();
  mmio_write32(NPU_MAP_EXTERNAL_HDMA + DMA_FUNCTION, work->function);
  mmio_write64(NPU_MAP_EXTERNAL_HDMA + DMA_SOURCE, work->source);
  mmio_write64(NPU_MAP_EXTERNAL_HDMA + DMA_DESTINATION, work->destination);
  mmio_write32(NPU_MAP_EXTERNAL_HDMA + DMA_BYTES, work->bytes);
  mmio_write32(NPU_MAP_EXTERNAL_HDMA + DMA_IRQ_ENABLE, DMA_IRQ_ENABLE_DONE_MASK);
  cpu_fence();
  mmio_write32(NPU_MAP_EXTERNAL_HDMA + DMA_CONTROL, work->start);
  if (!wait_idle(deadline)) return DMA_TIMED_OUT;
  bool failed = status() & DMA_STATUS_ERROR_MASK;
  clear_status();
  cpu_fence();
  return failed ? DMA_BUS_ERROR : DMA_OK;
}

static enum dma_result run_asleep(const struct channel_work* work) {
  if (work->bytes == 0) return DMA_OK;
  uint32_t enabled = plic_enabled();
  plic_enable(PLIC_SOURCE(NPU_IRQ_EXTERNAL_HDMA));
  enum dma_result result = run(work);
  /* The PLIC latched the channel's request: take it away, or the next wait would return at once. */
  uint32_t claimed = plic_claim();
  if (claimed != 0) plic_complete(claimed);
  plic_enable(enabled);
  return result;
}

enum dma_result dma_copy(uint32_t function, uint64_t destination, uint64_t source, uint32_t bytes) {
  struct channel_work work = {function, destination, source, bytes, DMA_CONTROL_START_MASK};
  return run_asleep(&work);
}

enum dma_result dma_fill(uint64_t destination, uint32_t bytes) {
  struct channel_work work = {0, destination, 0, bytes, DMA_CONTROL_FILL_MASK};
  return run_asleep(&work);
}

uint64_t dma_error_address(void) {
  return mmio_read64(NPU_MAP_EXTERNAL_HDMA + DMA_ERROR_ADDRESS);
}

const char* dma_result_name(enum dma_result result) {
  static const char* const names[] = {"no error", "bus error", "time-out"};
  return names[result];
}
