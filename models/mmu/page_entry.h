// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "firmware/abi/page_table.h"
#include "models/mmu/tlb.h"

namespace npuvp::mmu {

/// A step of a walk: reading one entry of a table (firmware/abi/page_table.h).
struct Level {
  unsigned shift;    ///< log2 of what an entry covers.
  unsigned entries;  ///< Of a table.
  bool may_be_table;
  bool may_be_page;

  [[nodiscard]] uint64_t bytes() const { return uint64_t{1} << shift; }
  /// Offset in the table of the entry for an address in the window.
  [[nodiscard]] uint64_t offset_of(uint64_t address) const {
    return ((address - NPU_MMU_VIRTUAL_BASE) >> shift) % entries * sizeof(uint64_t);
  }
};

inline constexpr Level kLevels[NPU_MMU_LEVELS] = {
    {NPU_MMU_ROOT_SHIFT, NPU_MMU_ROOT_ENTRIES, true, false},
    {NPU_MMU_DIRECTORY_SHIFT, NPU_MMU_DIRECTORY_ENTRIES, true, true},
    {NPU_MMU_TABLE_SHIFT, NPU_MMU_TABLE_ENTRIES, false, true},
};

/// What an entry says: a fault, the address of the next table, or a page.
struct Decoded {
  npu_mmu_fault fault = NPU_MMU_FAULT_NONE;
  uint64_t table = 0;  ///< 0: `page` is the answer.
  Page page;
};

/// Decodes the entry that a walk for virtual `address` found at `level`, on a card with `dram_bytes` of DRAM.
[[nodiscard]] Decoded decode_entry(uint64_t entry, unsigned level, uint64_t address, uint64_t dram_bytes);

/// True if [physical, physical + bytes) lies in DRAM.
[[nodiscard]] bool in_dram(uint64_t physical, uint64_t bytes, uint64_t dram_bytes);

}  // namespace npuvp::mmu
