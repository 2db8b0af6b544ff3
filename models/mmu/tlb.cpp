// SPDX-License-Identifier: Apache-2.0
#include "models/mmu/tlb.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "firmware/abi/page_table.h"

namespace npuvp::mmu {
namespace {

constexpr std::array kPageSizes{NPU_PAGE_LARGE_BYTES, NPU_PAGE_SMALL_BYTES};

}  // namespace

Tlb::Tlb(unsigned entries, unsigned ways) : ways_(ways), entries_(entries) {
  if (ways == 0 || entries == 0 || entries % ways != 0) {
    throw std::invalid_argument("a TLB needs entries in whole sets of its ways");
  }
}

/// Place of the entry for `address`, or the number of entries.
size_t Tlb::index_of(uint16_t asid, uint64_t address) const {
  const size_t sets = entries_.size() / ways_;
  for (const uint64_t bytes : kPageSizes) {
    const uint64_t base = address / bytes * bytes;
    const size_t first = (address / bytes + asid) % sets * ways_;
    for (size_t i = first; i < first + ways_; ++i) {
      const auto& entry = entries_[i];
      if (entry.page.bytes == bytes && entry.page.virtual_base == base && entry.asid == asid) return i;
    }
  }
  return entries_.size();
}

const Tlb::Entry* Tlb::find(uint16_t asid, uint64_t address) {
  const size_t index = index_of(asid, address);
  if (index == entries_.size()) return nullptr;
  entries_[index].last_use = ++uses_;
  return &entries_[index];
}

const Tlb::Entry* Tlb::peek(uint16_t asid, uint64_t address) const {
  const size_t index = index_of(asid, address);
  return index == entries_.size() ? nullptr : &entries_[index];
}

void Tlb::insert(uint16_t asid, const Page& page, sc_core::sc_time ready) {
  const size_t sets = entries_.size() / ways_;
  const auto first = entries_.begin() + static_cast<int64_t>((page.virtual_base / page.bytes + asid) % sets * ways_);
  // A free entry was never used, so it is the least recently used one.
  const auto victim =
      std::min_element(first, first + ways_, [](const Entry& a, const Entry& b) { return a.last_use < b.last_use; });
  *victim = {asid, page, ready, ++uses_};
}

void Tlb::invalidate() {
  std::fill(entries_.begin(), entries_.end(), Entry{});
}

void Tlb::invalidate(uint16_t asid) {
  for (auto& entry : entries_) {
    if (entry.asid == asid) entry = {};
  }
}

void Tlb::invalidate(uint16_t asid, uint64_t address) {
  for (size_t index; (index = index_of(asid, address)) != entries_.size();) entries_[index] = {};
}

}  // namespace npuvp::mmu
