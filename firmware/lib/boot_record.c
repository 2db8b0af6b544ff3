// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/boot_record.h"

#include <stdbool.h>
#include <stddef.h>

#include "firmware/abi/memory_map.h"
#include "firmware/lib/mmio.h"

const struct npu_boot_record* boot_record(void) {
  const struct npu_boot_record* record = (const struct npu_boot_record*)(const void*)mmio_tcm(NPU_MAP_BOOT_RECORD);
  bool written = record->magic == NPU_BOOT_RECORD_MAGIC && record->version == NPU_BOOT_RECORD_VERSION;
  return written ? record : NULL;
}
