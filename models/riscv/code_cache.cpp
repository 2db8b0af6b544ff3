// SPDX-License-Identifier: Apache-2.0
#include "models/riscv/code_cache.h"

#include <algorithm>

namespace npuvp::riscv {

void CodePage::clear() {
  slots.fill(Instruction{});
  slots[kSlots].handler = kPageEndHandler;
  slots[kSlots + 1].handler = kPageEndHandler;
}

CodePage& CodeCache::page(uint64_t base, const uint8_t* host) {
  std::unique_ptr<CodePage>& entry = pages_[base];
  if (!entry) entry = std::make_unique<CodePage>();
  if (entry->generation != generation_ || entry->host != host) {
    entry->base = base;
    entry->host = host;
    entry->generation = generation_;
    entry->clear();
  }
  return *entry;
}

void CodeCache::invalidate(uint64_t address, unsigned size_bytes) {
  // A 4-byte instruction that starts up to 2 bytes before the store is touched too. One that starts in the page before
  // is never kept.
  const uint64_t first_page = page_of(address);
  const uint64_t last_page = page_of(address + size_bytes - 1);
  const int first = static_cast<int>((address - first_page) >> 1) - 1;
  const int last = static_cast<int>((address + size_bytes - 1 - first_page) >> 1);
  invalidate_slots(first_page, first, last);
  if (last_page != first_page) invalidate_slots(last_page, 0, last - static_cast<int>(CodePage::kSlots));
}

void CodeCache::invalidate_slots(uint64_t page, int first, int last) {
  const auto found = pages_.find(page);
  if (found == pages_.end()) return;
  const int end = std::min(last, static_cast<int>(CodePage::kSlots) - 1);
  for (int slot = std::max(first, 0); slot <= end; ++slot)
    found->second->slots[static_cast<size_t>(slot)].handler = kUndecodedHandler;
}

}  // namespace npuvp::riscv
