// SPDX-License-Identifier: Apache-2.0
#include "models/riscv/code_cache.h"

#include <algorithm>

namespace npuvp::riscv {
namespace {

/// The pair of each two operations.
class PairTable {
 public:
  PairTable() {
    table_.fill(Pair::kCount);
#define NPUVP_RISCV_ENTRY(first, second) at(Op::k##first, Op::k##second) = Pair::k##first##second;
    NPUVP_RISCV_PAIRS(NPUVP_RISCV_ENTRY)
#undef NPUVP_RISCV_ENTRY
  }
  [[nodiscard]] Pair& at(Op first, Op second) {
    return table_[static_cast<unsigned>(first) * kOperations + static_cast<unsigned>(second)];
  }

 private:
  std::array<Pair, static_cast<size_t>(kOperations) * kOperations> table_;
};

Pair pair_of(Op first, Op second) {
  static PairTable table;
  return table.at(first, second);
}

}  // namespace

void CodePage::clear() {
  slots.fill(Instruction{});
  slots[kSlots].handler = kPageEndHandler;
  slots[kSlots + 1].handler = kPageEndHandler;
}

void CodePage::pair_with_predecessor(Instruction& slot) {
  const std::ptrdiff_t index = &slot - slots.data();
  for (unsigned length = 1; length <= 2; ++length) {
    if (index < static_cast<std::ptrdiff_t>(length)) return;
    Instruction& before = *(&slot - length);
    if (before.handler != handler_of(before.op, length) || before.slots != length) continue;
    const Pair pair = pair_of(before.op, slot.op);
    if (pair != Pair::kCount) before.handler = handler_of(pair, length, slot.slots);
  }
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
  // A 4-byte instruction that starts up to 2 bytes before the store is touched too, and one of up to 4 bytes before
  // that may be paired with it. One that starts in the page before is never kept.
  const uint64_t first_page = page_of(address);
  const uint64_t last_page = page_of(address + size_bytes - 1);
  const int first = static_cast<int>((address - first_page) >> 1) - 3;
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
