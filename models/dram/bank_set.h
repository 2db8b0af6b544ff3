// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace npuvp::dram {

/// A set of up to 256 bank numbers.
class BankSet {
 public:
  void put(size_t bank, bool in) {
    const uint64_t bit = uint64_t{1} << (bank % 64);
    words_[bank / 64] = in ? words_[bank / 64] | bit : words_[bank / 64] & ~bit;
  }
  [[nodiscard]] bool contains(size_t bank) const { return (words_[bank / 64] >> (bank % 64) & 1) != 0; }
  [[nodiscard]] bool empty() const { return (words_[0] | words_[1] | words_[2] | words_[3]) == 0; }

  /// Calls visit(bank) for every bank in rising order.
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (size_t word = 0; word < words_.size(); ++word) {
      for (uint64_t rest = words_[word]; rest != 0; rest &= rest - 1) {
        visit(word * 64 + static_cast<size_t>(std::countr_zero(rest)));
      }
    }
  }

 private:
  std::array<uint64_t, 4> words_{};
};

}  // namespace npuvp::dram
