// SPDX-License-Identifier: Apache-2.0
#include "models/base/secded.h"

#include <array>
#include <bit>
#include <cstddef>

namespace npuvp::base::secded {
namespace {

/// Columns of the check matrix for the data bits: the 56 of weight 3, then 8 of weight 5. Those of weight 1 are the
/// check bits'. All odd, so that two errors give an even syndrome.
constexpr std::array<uint8_t, kDataBits> make_columns() {
  std::array<uint8_t, kDataBits> columns{};
  std::size_t next = 0;
  for (const int weight : {3, 5}) {
    for (unsigned value = 0; value < 256 && next < kDataBits; ++value) {
      if (std::popcount(value) == weight) columns[next++] = static_cast<uint8_t>(value);
    }
  }
  return columns;
}

constexpr auto kColumns = make_columns();

}  // namespace

uint8_t check_bits(uint64_t data) {
  uint8_t check = 0;
  for (uint64_t rest = data; rest != 0; rest &= rest - 1) {
    check = static_cast<uint8_t>(check ^ kColumns[static_cast<std::size_t>(std::countr_zero(rest))]);
  }
  return check;
}

Decoded decode(uint64_t data, uint8_t check) {
  const auto syndrome = static_cast<uint8_t>(check ^ check_bits(data));
  if (syndrome == 0) return {data, Outcome::kClean};
  if (std::has_single_bit(syndrome)) return {data, Outcome::kCorrected};
  for (std::size_t bit = 0; bit < kDataBits; ++bit) {
    if (kColumns[bit] == syndrome) return {data ^ uint64_t{1} << bit, Outcome::kCorrected};
  }
  return {data, Outcome::kUncorrectable};
}

}  // namespace npuvp::base::secded
