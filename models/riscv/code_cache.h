// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "models/riscv/instruction.h"

namespace npuvp::riscv {

inline constexpr uint64_t kPageBytes = 4096;
[[nodiscard]] constexpr uint64_t page_of(uint64_t address) {
  return address & ~(kPageBytes - 1);
}

/// Numbers of handlers: two for each operation, by length, then four for each pair, by both lengths.
[[nodiscard]] constexpr uint16_t handler_of(Op op, unsigned slots) {
  return static_cast<uint16_t>(2 * static_cast<unsigned>(op) + (slots == 1 ? 1 : 0));
}
[[nodiscard]] constexpr uint16_t handler_of(Pair pair, unsigned first_slots, unsigned second_slots) {
  return static_cast<uint16_t>(2 * kOperations + 4 * static_cast<unsigned>(pair) + (first_slots == 1 ? 2 : 0) +
                               (second_slots == 1 ? 1 : 0));
}
/// Handlers of slots that hold no instruction.
inline constexpr uint16_t kUndecodedHandler = handler_of(Op::kUndecoded, 2);
inline constexpr uint16_t kPageEndHandler = handler_of(Op::kPageEnd, 2);

/// The decoded instructions of one 4 KiB page, one slot for each 2 bytes, filled as they are first executed.
struct CodePage {
  static constexpr unsigned kSlots = kPageBytes / 2;

  uint64_t base = 0;  ///< Address of the first byte.
  const uint8_t* host =
      nullptr;              ///< The page's bytes, or nullptr: then nothing is kept and each fetch is checked anew.
  uint64_t generation = 0;  ///< Of the cache when the page was last emptied.
  /// Two slots past the end: where a 4-byte instruction in the last slot falls through to.
  std::array<Instruction, kSlots + 2> slots;

  void clear();
  [[nodiscard]] uint64_t address_of(const Instruction* slot) const {
    return base + 2 * static_cast<uint64_t>(slot - slots.data());
  }
  /// Gives the instruction before `slot`, if it is known already, the handler of the pair they make.
  void pair_with_predecessor(Instruction& slot);
  [[nodiscard]] Instruction* slot_at(uint64_t address) { return slots.data() + ((address & (kPageBytes - 1)) >> 1); }
};

/// All decoded pages of a hart, by physical address.
class CodeCache {
 public:
  /// The page at `base`, made on first use and emptied if flush() came since. Stays valid until release().
  CodePage& page(uint64_t base, const uint8_t* host);

  [[nodiscard]] bool contains(uint64_t base) const { return pages_.contains(base); }

  /// Forgets what was decoded from [address, address + size_bytes), size_bytes <= 8.
  void invalidate(uint64_t address, unsigned size_bytes);

  /// Forgets everything decoded, in constant time; pages are emptied when next used.
  void flush() { ++generation_; }

  /// Frees all pages; only between instructions, when no page is being executed.
  void release() { pages_.clear(); }
  [[nodiscard]] bool oversized() const { return pages_.size() > kMaximumPages; }

 private:
  static constexpr size_t kMaximumPages = 1024;  // 32 MiB of host memory

  void invalidate_slots(uint64_t page, int first, int last);

  uint64_t generation_ = 1;
  std::unordered_map<uint64_t, std::unique_ptr<CodePage>> pages_;  // looked up only, never iterated
};

}  // namespace npuvp::riscv
