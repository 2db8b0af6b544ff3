// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/boot_selection.h"

#include "firmware/abi/flash_layout.h"
#include "firmware/lib/flash.h"

static uint32_t complement(const struct npu_boot_selection* selection) {
  return ~(selection->magic ^ selection->sequence ^ selection->slot);
}

static bool valid(const struct npu_boot_selection* selection) {
  return selection->magic == NPU_FLASH_SELECTION_MAGIC &&
         (selection->slot & ~NPU_FLASH_SLOT_ON_TRIAL) < NPU_FLASH_SLOTS && selection->sequence != 0 &&
         selection->complement == complement(selection);
}

struct boot_selection boot_selection_read(void) {
  /* Without any, the first one goes to copy 0. */
  struct boot_selection best = {.slot = 0, .sequence = 0, .copy = NPU_FLASH_SELECTIONS - 1};
  for (uint32_t copy = 0; copy < NPU_FLASH_SELECTIONS; ++copy) {
    struct npu_boot_selection selection;
    flash_read(NPU_FLASH_SELECTION(copy), &selection, sizeof(selection));
    if (!valid(&selection) || selection.sequence <= best.sequence) continue;
    best = (struct boot_selection){
        .slot = selection.slot & ~NPU_FLASH_SLOT_ON_TRIAL,
        .on_trial = (selection.slot & NPU_FLASH_SLOT_ON_TRIAL) != 0,
        .sequence = selection.sequence,
        .copy = copy,
    };
  }
  return best;
}

uint32_t boot_selection_address(const struct boot_selection* current) {
  return NPU_FLASH_SELECTION((current->copy + 1) % NPU_FLASH_SELECTIONS);
}

struct npu_boot_selection boot_selection_next(const struct boot_selection* current, uint32_t slot) {
  struct npu_boot_selection next = {
      .magic = NPU_FLASH_SELECTION_MAGIC,
      .sequence = current->sequence + 1,
      .slot = slot | NPU_FLASH_SLOT_ON_TRIAL,
  };
  next.complement = complement(&next);
  return next;
}
