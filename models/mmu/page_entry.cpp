// SPDX-License-Identifier: Apache-2.0
#include "models/mmu/page_entry.h"

namespace npuvp::mmu {
namespace {

constexpr uint64_t kDefined = NPU_PTE_VALID | NPU_PTE_READ | NPU_PTE_WRITE | NPU_PTE_TABLE | NPU_PTE_ADDRESS;
constexpr uint64_t kRights = NPU_PTE_READ | NPU_PTE_WRITE;

Decoded decode_table(uint64_t entry, unsigned level, uint64_t dram_bytes) {
  const uint64_t table = entry & NPU_PTE_ADDRESS;
  const uint64_t table_bytes = kLevels[level + 1].entries * sizeof(uint64_t);
  if ((entry & kRights) != 0 || table % table_bytes != 0 || !in_dram(table, table_bytes, dram_bytes)) {
    return {NPU_MMU_FAULT_BAD_ENTRY, 0, {}};
  }
  return {NPU_MMU_FAULT_NONE, table, {}};
}

}  // namespace

bool in_dram(uint64_t physical, uint64_t bytes, uint64_t dram_bytes) {
  return physical >= NPU_MAP_DRAM && physical - NPU_MAP_DRAM <= dram_bytes &&
         bytes <= dram_bytes - (physical - NPU_MAP_DRAM);
}

Decoded decode_entry(uint64_t entry, unsigned level, uint64_t address, uint64_t dram_bytes) {
  const auto& here = kLevels[level];
  if ((entry & NPU_PTE_VALID) == 0) return {NPU_MMU_FAULT_UNMAPPED, 0, {}};
  const bool is_table = (entry & NPU_PTE_TABLE) != 0;
  if ((entry & ~kDefined) != 0 || !(is_table ? here.may_be_table : here.may_be_page)) {
    return {NPU_MMU_FAULT_BAD_ENTRY, 0, {}};
  }
  if (is_table) return decode_table(entry, level, dram_bytes);
  const Page page{.virtual_base = address / here.bytes() * here.bytes(),
                  .physical_base = entry & NPU_PTE_ADDRESS,
                  .bytes = here.bytes(),
                  .readable = (entry & NPU_PTE_READ) != 0,
                  .writable = (entry & NPU_PTE_WRITE) != 0};
  if (page.physical_base % page.bytes != 0 || !in_dram(page.physical_base, page.bytes, dram_bytes)) {
    return {NPU_MMU_FAULT_BAD_ENTRY, 0, {}};
  }
  return {NPU_MMU_FAULT_NONE, 0, page};
}

}  // namespace npuvp::mmu
