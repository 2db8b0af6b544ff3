// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/mmu.h"

#include <stddef.h>

#include "firmware/lib/cpu.h"
#include "firmware/lib/mmio.h"
#include "npu/registers/mmu.h"

enum { kEntryBytes = 8, kRootBytes = 512, kDirectoryBytes = 4096, kTableBytes = 256 };

static const uint64_t kRights = NPU_PTE_READ | NPU_PTE_WRITE;

static uint32_t read_register(uint32_t offset) {
  return mmio_read32(NPU_MAP_MMU + offset);
}
static void write_register(uint32_t offset, uint32_t value) {
  mmio_write32(NPU_MAP_MMU + offset, value);
}

static void invalidate_space(uint32_t asid) {
  cpu_fence(); /* the walker sees what was written before */
  write_register(MMU_INVALIDATE, MMU_INVALIDATE_ASID_MASK | asid << MMU_INVALIDATE_ID_SHIFT);
}

void mmu_init(void) {
  for (uint32_t asid = 1; asid < NPU_MMU_ASIDS; ++asid) mmio_write64(NPU_MAP_MMU + MMU_ROOT(asid), 0);
  write_register(MMU_INVALIDATE, MMU_INVALIDATE_ALL_MASK);
  struct mmu_fault fault;
  for (unsigned i = 0; i < NPU_MMU_FAULTS && mmu_take_fault(&fault); ++i) {
  }
  mmu_take_overflow();
  write_register(MMU_IRQ_ENABLE, MMU_IRQ_ENABLE_FAULT_MASK);
}

/* A table of zeros, as aligned as it is long; 0 when there is no room. */
static uint64_t new_table(struct mmu_space* space, uint64_t bytes) {
  uint64_t table = (space->tables_next + bytes - 1) & ~(bytes - 1);
  if (table > space->tables_end || bytes > space->tables_end - table) return 0;
  space->tables_next = table + bytes;
  for (uint64_t at = table; at < table + bytes; at += kEntryBytes) mmio_write64(at, 0);
  return table;
}

enum mmu_result mmu_create(struct mmu_space* space, uint32_t asid, uint64_t tables, uint64_t bytes) {
  *space = (struct mmu_space){0};
  if (asid == 0 || asid >= NPU_MMU_ASIDS || tables < NPU_MAP_DRAM || tables % kDirectoryBytes != 0 ||
      bytes < kDirectoryBytes || tables + bytes < tables) {
    return MMU_BAD_ARGUMENT;
  }
  *space = (struct mmu_space){.asid = asid, .tables_next = tables, .tables_end = tables + bytes};
  space->root = new_table(space, kRootBytes);
  invalidate_space(asid);
  mmio_write64(NPU_MAP_MMU + MMU_ROOT(asid), space->root | MMU_ROOT_VALID_MASK);
  return MMU_OK;
}

void mmu_destroy(struct mmu_space* space) {
  if (space->asid == 0) return;
  mmio_write64(NPU_MAP_MMU + MMU_ROOT(space->asid), 0);
  invalidate_space(space->asid);
  *space = (struct mmu_space){0};
}

static uint64_t entry_address(uint64_t table, uint64_t address, uint32_t shift, uint32_t entries) {
  return table + ((address - NPU_MMU_VIRTUAL_BASE) >> shift) % entries * kEntryBytes;
}

/* The table that the entry at `at` leads to. Makes one of `bytes` if there is none and `make` is set; 0: there is none.
 */
static uint64_t table_behind(struct mmu_space* space, uint64_t at, uint64_t bytes, bool make) {
  uint64_t entry = mmio_read64(at);
  if (entry & NPU_PTE_VALID) return entry & NPU_PTE_TABLE ? entry & NPU_PTE_ADDRESS : 0;
  uint64_t table = make ? new_table(space, bytes) : 0;
  if (table != 0) mmio_write64(at, table | NPU_PTE_TABLE | NPU_PTE_VALID);
  return table;
}

/* Where the entry that describes a page is, and how much it covers. */
struct place {
  uint64_t at;
  uint64_t bytes;
};

/*
 * Where the page of `address` is described; large or small as `large` says when nothing is there yet. `at` is 0 when
 * there is no table for it (make: no room for one).
 */
static struct place find(struct mmu_space* space, uint64_t address, bool large, bool make) {
  uint64_t at = entry_address(space->root, address, NPU_MMU_ROOT_SHIFT, NPU_MMU_ROOT_ENTRIES);
  uint64_t directory = table_behind(space, at, kDirectoryBytes, make);
  if (directory == 0) return (struct place){0, NPU_PAGE_SMALL_BYTES};
  at = entry_address(directory, address, NPU_MMU_DIRECTORY_SHIFT, NPU_MMU_DIRECTORY_ENTRIES);
  uint64_t entry = mmio_read64(at);
  bool page = (entry & NPU_PTE_VALID) && !(entry & NPU_PTE_TABLE);
  if (page || (large && !(entry & NPU_PTE_VALID))) return (struct place){at, NPU_PAGE_LARGE_BYTES};
  uint64_t table = table_behind(space, at, kTableBytes, make);
  if (table == 0) return (struct place){0, NPU_PAGE_SMALL_BYTES};
  at = entry_address(table, address, NPU_MMU_TABLE_SHIFT, NPU_MMU_TABLE_ENTRIES);
  return (struct place){at, NPU_PAGE_SMALL_BYTES};
}

static bool range_valid(const struct mmu_space* space, uint64_t address, uint64_t bytes) {
  return space->asid != 0 && bytes != 0 && bytes % NPU_PAGE_SMALL_BYTES == 0 && address % NPU_PAGE_SMALL_BYTES == 0 &&
         address >= NPU_MMU_VIRTUAL_BASE && address - NPU_MMU_VIRTUAL_BASE <= NPU_MMU_VIRTUAL_BYTES &&
         bytes <= NPU_MMU_VIRTUAL_BYTES - (address - NPU_MMU_VIRTUAL_BASE);
}

/* Takes [address, address + bytes) away, which consists of whole pages and holes. */
static void clear_range(struct mmu_space* space, uint64_t address, uint64_t bytes) {
  for (uint64_t end = address + bytes; address < end;) {
    struct place place = find(space, address, false, false);
    if (place.at != 0) mmio_write64(place.at, 0);
    address += place.bytes;
  }
}

enum mmu_result mmu_map(struct mmu_space* space, uint64_t address, uint64_t physical, uint64_t bytes, uint64_t access) {
  if (!range_valid(space, address, bytes) || physical % NPU_PAGE_SMALL_BYTES != 0 || physical < NPU_MAP_DRAM ||
      physical + bytes < physical || physical + bytes - 1 > NPU_PTE_ADDRESS || access == 0 || (access & ~kRights)) {
    return MMU_BAD_ARGUMENT;
  }
  enum mmu_result result = MMU_OK;
  uint64_t done = 0;
  while (done < bytes && result == MMU_OK) {
    bool large = (address + done) % NPU_PAGE_LARGE_BYTES == 0 && (physical + done) % NPU_PAGE_LARGE_BYTES == 0 &&
                 bytes - done >= NPU_PAGE_LARGE_BYTES;
    struct place place = find(space, address + done, large, true);
    if (place.at == 0) {
      result = MMU_NO_TABLES;
    } else if (mmio_read64(place.at) & NPU_PTE_VALID) {
      result = MMU_MAPPED;
    } else {
      mmio_write64(place.at, (physical + done) | access | NPU_PTE_VALID);
      done += place.bytes;
    }
  }
  if (result != MMU_OK && done != 0) clear_range(space, address, done);
  /* Faults are not cached, so only what was taken back may be in the TLB. */
  if (result != MMU_OK) invalidate_space(space->asid);
  cpu_fence();
  return result;
}

enum mmu_result mmu_unmap(struct mmu_space* space, uint64_t address, uint64_t bytes) {
  if (!range_valid(space, address, bytes)) return MMU_BAD_ARGUMENT;
  for (uint64_t at = address, end = address + bytes; at < end;) {
    struct place place = find(space, at, false, false);
    bool whole = at % place.bytes == 0 && place.bytes <= end - at;
    if (place.at == 0 || !whole || !(mmio_read64(place.at) & NPU_PTE_VALID)) return MMU_NOT_MAPPED;
    at += place.bytes;
  }
  clear_range(space, address, bytes);
  invalidate_space(space->asid);
  return MMU_OK;
}

bool mmu_readable(struct mmu_space* space, uint64_t address, uint64_t bytes) {
  static const uint64_t kPage = NPU_PAGE_SMALL_BYTES;
  if (bytes == 0 || address > UINT64_MAX - bytes || address + bytes > UINT64_MAX - kPage) return false;
  uint64_t at = address / kPage * kPage, end = (address + bytes + kPage - 1) / kPage * kPage;
  if (!range_valid(space, at, end - at)) return false;
  for (; at < end; at += kPage) {
    struct place place = find(space, at, false, false);
    if (place.at == 0 || (mmio_read64(place.at) & (NPU_PTE_VALID | NPU_PTE_READ)) != (NPU_PTE_VALID | NPU_PTE_READ)) {
      return false;
    }
  }
  return true;
}

bool mmu_take_fault(struct mmu_fault* fault) {
  if (!(read_register(MMU_FAULT_STATUS) & MMU_FAULT_STATUS_COUNT_MASK)) return false;
  uint32_t info = read_register(MMU_FAULT_INFO);
  uint32_t owner = read_register(MMU_FAULT_OWNER);
  *fault = (struct mmu_fault){
      .asid = (info & MMU_FAULT_INFO_ASID_MASK) >> MMU_FAULT_INFO_ASID_SHIFT,
      .address = mmio_read64(NPU_MAP_MMU + MMU_FAULT_ADDRESS),
      .write = info & MMU_FAULT_INFO_WRITE_MASK,
      .reason = (info & MMU_FAULT_INFO_REASON_MASK) >> MMU_FAULT_INFO_REASON_SHIFT,
      .initiator = (info & MMU_FAULT_INFO_INITIATOR_MASK) >> MMU_FAULT_INFO_INITIATOR_SHIFT,
      .engine = (info & MMU_FAULT_INFO_ENGINE_MASK) >> MMU_FAULT_INFO_ENGINE_SHIFT,
      .context = (owner & MMU_FAULT_OWNER_CONTEXT_MASK) >> MMU_FAULT_OWNER_CONTEXT_SHIFT,
      .function = (owner & MMU_FAULT_OWNER_FUNCTION_MASK) >> MMU_FAULT_OWNER_FUNCTION_SHIFT,
  };
  write_register(MMU_FAULT_POP, MMU_FAULT_POP_POP_MASK);
  return true;
}

bool mmu_take_overflow(void) {
  bool lost = read_register(MMU_FAULT_STATUS) & MMU_FAULT_STATUS_OVERFLOW_MASK;
  if (lost) write_register(MMU_FAULT_STATUS, MMU_FAULT_STATUS_OVERFLOW_MASK);
  return lost;
}

const char* mmu_reason_name(uint32_t reason) {
  static const char* const names[] = {
      "no fault",         "not mapped",       "not permitted",        "malformed table entry",
      "table unreadable", "no address space", "outside of the window"};
  return reason < sizeof(names) / sizeof(names[0]) ? names[reason] : "unknown fault";
}

const char* mmu_initiator_name(uint32_t initiator) {
  static const char* const names[NPU_MMU_INITIATORS] = {"Task Manager", "External HDMA", "Neural DMA", "Task DMA",
                                                        "Device HDMA"};
  return initiator < NPU_MMU_INITIATORS && names[initiator] != NULL ? names[initiator] : "unknown engine";
}
