// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/boot_record.h"

#include <stdbool.h>
#include <stddef.h>

#include "firmware/abi/memory_map.h"
#include "firmware/lib/mmio.h"

static struct npu_boot_record* find(void) {
  struct npu_boot_record* record = (struct npu_boot_record*)(void*)mmio_tcm(NPU_MAP_BOOT_RECORD);
  bool written = record->magic == NPU_BOOT_RECORD_MAGIC && record->version == NPU_BOOT_RECORD_VERSION;
  return written ? record : NULL;
}

const struct npu_boot_record* boot_record(void) {
  return find();
}

void boot_record_confirm(void) {
  struct npu_boot_record* record = find();
  if (record) record->trial = (record->trial & ~0xffu) | NPU_TRIAL_CONFIRMED;
}
