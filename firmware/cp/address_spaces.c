// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/address_spaces.h"

#include <string.h>

#include "firmware/abi/context.h"
#include "firmware/abi/memory_map.h"
#include "firmware/cp/contexts.h"
#include "firmware/lib/mmu.h"
#include "firmware/lib/task_manager.h"

_Static_assert(NPU_CONTEXT_PAGE_BYTES == NPU_PAGE_SMALL_BYTES, "messages count in pages of the MMU");
_Static_assert(CONTEXT_SLOTS < NPU_MMU_ASIDS, "an ASID for each context");

/* 4 KiB aligned, as large tables are. 4.6 MiB: enough for 48 GiB in the smallest pages. */
static const uint64_t kTableBytes = NPU_DRAM_PAGE_TABLES_BYTES / CONTEXT_SLOTS / 0x1000 * 0x1000;

static struct mmu_space spaces_[CONTEXT_SLOTS];

void address_spaces_init(void) {
  memset(spaces_, 0, sizeof(spaces_)); /* their roots went with mmu_init() */
}

void address_space_create(uint32_t context) {
  uint64_t tables = NPU_MAP_DRAM + NPU_DRAM_PAGE_TABLES + context * kTableBytes;
  task_manager_clear_memories(); /* of a context that was here before, or of one before a reset of the card */
  (void)mmu_create(&spaces_[context], context_asid(context), tables, kTableBytes); /* its arguments are constants */
}

void address_space_destroy(uint32_t context) {
  mmu_destroy(&spaces_[context]);
}

bool address_space_exists(uint32_t context) {
  return spaces_[context].asid != 0;
}

uint32_t address_space_of(uint32_t context) {
  return spaces_[context].asid;
}

static enum npu_mailbox_status status_of(enum mmu_result result) {
  switch (result) {
    case MMU_OK:
      return NPU_MAILBOX_OK;
    case MMU_MAPPED:
      return NPU_MAILBOX_BUSY;
    case MMU_NO_TABLES:
      return NPU_MAILBOX_FULL;
    default:
      return NPU_MAILBOX_BAD_ARGUMENT;
  }
}

enum npu_mailbox_status address_space_map(uint32_t context, const struct page_range* range, uint32_t rights) {
  uint64_t access =
      (rights & NPU_CONTEXT_MAP_READ ? NPU_PTE_READ : 0) | (rights & NPU_CONTEXT_MAP_WRITE ? NPU_PTE_WRITE : 0);
  return status_of(mmu_map(&spaces_[context], range->base, range->base, range->bytes, access));
}

enum npu_mailbox_status address_space_unmap(uint32_t context, const struct page_range* range) {
  return status_of(mmu_unmap(&spaces_[context], range->base, range->bytes));
}

bool address_space_readable(uint32_t context, uint64_t address, uint64_t bytes) {
  return !address_space_exists(context) || mmu_readable(&spaces_[context], address, bytes);
}
