// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "models/riscv/code_cache.h"

namespace npuvp::riscv {

/// Host addresses of pages that loads (or stores) of one privilege may access anywhere: direct memory, PMP says yes
/// throughout.
class DataTlb {
 public:
  DataTlb() { flush(); }

  /// Host byte of a naturally aligned access, or nullptr: miss, or misaligned.
  template <unsigned kSizeBytes>
  [[nodiscard]] uint8_t* find(uint64_t address) const {
    const Entry& entry = entries_[index(address)];
    // One comparison for both page and alignment: a misaligned address keeps low bits that no tag has.
    if ((address & (~(kPageBytes - 1) | (kSizeBytes - 1))) != entry.tag) return nullptr;
    return std::bit_cast<uint8_t*>(entry.host_minus_address + address);
  }

  void insert(uint64_t page, uint8_t* host) { entries_[index(page)] = {page, std::bit_cast<uint64_t>(host) - page}; }
  void evict(uint64_t page) {
    if (entries_[index(page)].tag == page) entries_[index(page)].tag = kNone;
  }
  void flush() {
    for (Entry& entry : entries_) entry.tag = kNone;
  }

 private:
  static constexpr unsigned kEntries = 256;
  static constexpr uint64_t kNone = ~0ull;  // no masked address has all of its low bits set

  struct Entry {
    uint64_t tag = kNone;
    uint64_t host_minus_address = 0;
  };

  [[nodiscard]] static constexpr unsigned index(uint64_t address) {
    return static_cast<unsigned>(address / kPageBytes) % kEntries;
  }

  std::array<Entry, kEntries> entries_;
};

}  // namespace npuvp::riscv
