// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/plic.h"

#include "firmware/abi/memory_map.h"
#include "firmware/lib/mmio.h"
#include "npu/registers/plic.h"

void plic_init(uint32_t mask) {
  plic_enable(0);
  for (uint32_t source = 1; source < NPU_IRQ_COUNT; ++source) mmio_write32(NPU_MAP_PLIC + PLIC_PRIORITY(source), 1);
  mmio_write32(NPU_MAP_PLIC + PLIC_THRESHOLD(0), 0);
  plic_enable(mask);
}

void plic_enable(uint32_t mask) {
  mmio_write32(NPU_MAP_PLIC + PLIC_ENABLE(0), mask);
}

uint32_t plic_enabled(void) {
  return mmio_read32(NPU_MAP_PLIC + PLIC_ENABLE(0));
}

uint32_t plic_claim(void) {
  return mmio_read32(NPU_MAP_PLIC + PLIC_CLAIM(0));
}

void plic_complete(uint32_t source) {
  mmio_write32(NPU_MAP_PLIC + PLIC_CLAIM(0), source);
}
