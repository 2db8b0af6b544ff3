// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/cp_dma.h"

#include "firmware/abi/memory_map.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/cpu.h"
#include "firmware/lib/mmio.h"
#include "npu/registers/cp_dma.h"

static uint32_t status(void) {
  return mmio_read32(NPU_MAP_CP_DMA + CP_DMA_STATUS);
}

static void clear_status(void) {
  mmio_write32(NPU_MAP_CP_DMA + CP_DMA_STATUS,
               CP_DMA_STATUS_DONE_MASK | CP_DMA_STATUS_MARK_MASK | CP_DMA_STATUS_ERROR_MASK);
}

bool cp_dma_start(uint64_t descriptors) {
  if (status() & CP_DMA_STATUS_BUSY_MASK) return false;
  clear_status();
  mmio_write64(NPU_MAP_CP_DMA + CP_DMA_DESCRIPTOR, descriptors);
  cpu_fence();
  mmio_write32(NPU_MAP_CP_DMA + CP_DMA_CONTROL, CP_DMA_CONTROL_START_MASK);
  return true;
}

bool cp_dma_finish(void) {
  uint64_t deadline = aclint_time_ns() + CP_DMA_TIMEOUT_NS;
  while (status() & CP_DMA_STATUS_BUSY_MASK) {
    if (aclint_time_ns() < deadline) continue;
    mmio_write32(NPU_MAP_CP_DMA + CP_DMA_CONTROL, CP_DMA_CONTROL_ABORT_MASK);
    return false;
  }
  bool ok = !(status() & CP_DMA_STATUS_ERROR_MASK);
  clear_status();
  cpu_fence();
  return ok;
}

void cp_dma_enable_interrupt(bool enable) {
  mmio_write32(NPU_MAP_CP_DMA + CP_DMA_IRQ_ENABLE, enable ? CP_DMA_IRQ_ENABLE_DONE_MASK : 0);
}
