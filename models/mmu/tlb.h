// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>
#include <vector>

namespace npuvp::mmu {

/// A page as the page tables describe it.
struct Page {
  uint64_t virtual_base = 0;
  uint64_t physical_base = 0;
  uint64_t bytes = 0;
  bool readable = false;
  bool writable = false;
};

/// Set-associative translation buffer for pages of both sizes, least recently used entry replaced. The set of a page is
/// its number, in units of its own size, plus the ASID, modulo the number of sets; a look-up tries both sizes.
class Tlb {
 public:
  struct Entry {
    uint16_t asid = 0;
    Page page;               ///< bytes 0: free.
    sc_core::sc_time ready;  ///< When the walk that fetched it has ended, absolute.
    uint64_t last_use = 0;
  };

  /// Throws std::invalid_argument unless `ways` divides `entries` and both are above 0.
  Tlb(unsigned entries, unsigned ways);

  /// The entry for `address`, now the most recently used of its set; or nullptr. Valid until the next call.
  [[nodiscard]] const Entry* find(uint16_t asid, uint64_t address);
  /// The same without a trace, for debuggers.
  [[nodiscard]] const Entry* peek(uint16_t asid, uint64_t address) const;
  void insert(uint16_t asid, const Page& page, sc_core::sc_time ready);

  void invalidate();
  void invalidate(uint16_t asid);
  void invalidate(uint16_t asid, uint64_t address);

  [[nodiscard]] unsigned entries() const { return static_cast<unsigned>(entries_.size()); }
  [[nodiscard]] unsigned ways() const { return ways_; }

 private:
  [[nodiscard]] size_t index_of(uint16_t asid, uint64_t address) const;

  const unsigned ways_;
  std::vector<Entry> entries_;  // set by set
  uint64_t uses_ = 0;
};

}  // namespace npuvp::mmu
