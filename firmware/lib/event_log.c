// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/event_log.h"

#include "firmware/abi/memory_map.h"
#include "firmware/lib/mmio.h"
#include "npu/registers/log_manager.h"

void event_log_start(uint64_t ring, uint32_t log2_entries) {
  mmio_write32(NPU_MAP_LOG_MANAGER + LOG_MANAGER_CONTROL, 0);
  mmio_write64(NPU_MAP_LOG_MANAGER + LOG_MANAGER_BASE, ring);
  mmio_write32(NPU_MAP_LOG_MANAGER + LOG_MANAGER_LOG2_ENTRIES, log2_entries);
  mmio_write32(NPU_MAP_LOG_MANAGER + LOG_MANAGER_CONTROL, LOG_MANAGER_CONTROL_ENABLE_MASK);
}

void event_log_record(enum npu_firmware_event code, uint64_t argument0, uint64_t argument1) {
  mmio_write64(NPU_MAP_LOG_MANAGER + LOG_MANAGER_ARGUMENT(0), argument0);
  mmio_write64(NPU_MAP_LOG_MANAGER + LOG_MANAGER_ARGUMENT(1), argument1);
  mmio_write32(NPU_MAP_LOG_MANAGER + LOG_MANAGER_EVENT, (uint32_t)code);
}

uint64_t event_log_written(void) {
  return mmio_read64(NPU_MAP_LOG_MANAGER + LOG_MANAGER_WRITTEN);
}
