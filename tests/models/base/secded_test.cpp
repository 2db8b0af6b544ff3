// SPDX-License-Identifier: Apache-2.0
#include "models/base/secded.h"

#include <gtest/gtest.h>

namespace npuvp::base::secded {
namespace {

constexpr uint64_t kWords[] = {0, ~0ULL, 0x0123456789abcdefULL, 0x8000000000000001ULL};

/// The word with one bit of its 72 flipped.
void flip(uint64_t& data, uint8_t& check, unsigned bit) {
  if (bit < kDataBits) {
    data ^= 1ULL << bit;
  } else {
    check = static_cast<uint8_t>(check ^ 1U << (bit - kDataBits));
  }
}

TEST(Secded, LeavesSoundWordsAlone) {
  for (const uint64_t word : kWords) EXPECT_EQ(decode(word, check_bits(word)).outcome, Outcome::kClean);
}

TEST(Secded, CorrectsEverySingleError) {
  for (const uint64_t word : kWords) {
    for (unsigned bit = 0; bit < kCodeBits; ++bit) {
      uint64_t data = word;
      uint8_t check = check_bits(word);
      flip(data, check, bit);
      const auto decoded = decode(data, check);
      EXPECT_EQ(decoded.outcome, Outcome::kCorrected) << bit;
      EXPECT_EQ(decoded.data, word) << bit;
    }
  }
}

TEST(Secded, DetectsEveryDoubleError) {
  for (const uint64_t word : kWords) {
    for (unsigned first = 0; first < kCodeBits; ++first) {
      for (unsigned second = first + 1; second < kCodeBits; ++second) {
        uint64_t data = word;
        uint8_t check = check_bits(word);
        flip(data, check, first);
        flip(data, check, second);
        EXPECT_EQ(decode(data, check).outcome, Outcome::kUncorrectable) << first << ' ' << second;
      }
    }
  }
}

}  // namespace
}  // namespace npuvp::base::secded
