// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/aclint.h"

#include "firmware/abi/memory_map.h"
#include "firmware/lib/mmio.h"
#include "npu/registers/aclint.h"

uint64_t aclint_time_ns(void) {
  return mmio_read64(NPU_MAP_ACLINT + ACLINT_MTIME);
}

void aclint_set_deadline(uint64_t deadline_ns) {
  mmio_write64(NPU_MAP_ACLINT + ACLINT_MTIMECMP(0), deadline_ns);
}
