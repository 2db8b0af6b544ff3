// SPDX-License-Identifier: Apache-2.0
// Expected values come from the compiler's own _Float16.
#include "sw/compiler/half.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>

namespace npuvp::compiler {
namespace {

__extension__ using Half = _Float16;

bool is_nan(uint16_t half) {
  return (half & 0x7fff) > 0x7c00;
}

/// Both conversions of one value agree with _Float16, NaN with NaN.
void expect_same(float value) {
  const auto expected = std::bit_cast<uint16_t>(static_cast<Half>(value));
  const uint16_t got = float_to_half(value);
  if (is_nan(expected)) {
    ASSERT_TRUE(is_nan(got)) << std::hex << std::bit_cast<uint32_t>(value);
  } else {
    ASSERT_EQ(got, expected) << std::hex << std::bit_cast<uint32_t>(value);
  }
}

TEST(Half, ToFloatIsExactForAllBitPatterns) {
  for (uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const auto expected = static_cast<float>(std::bit_cast<Half>(static_cast<uint16_t>(bits)));
    const float got = half_to_float(static_cast<uint16_t>(bits));
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(got)) << bits;
      ASSERT_NE(std::bit_cast<uint32_t>(got) & 0x00400000u, 0u) << "not quiet: " << bits;
    } else {
      ASSERT_EQ(std::bit_cast<uint32_t>(got), std::bit_cast<uint32_t>(expected)) << bits;
    }
  }
}

TEST(Half, RoundTripKeepsAllBitPatterns) {
  for (uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const auto expected = static_cast<uint16_t>(is_nan(half) ? half | 0x0200 : half);
    ASSERT_EQ(float_to_half(half_to_float(half)), expected);
  }
}

TEST(Half, FromFloatRoundsToNearestEvenAroundEveryHalf) {
  for (uint32_t bits = 0; bits < 0x7c00; ++bits) {
    const float low = half_to_float(static_cast<uint16_t>(bits));
    const float high = bits + 1 < 0x7c00 ? half_to_float(static_cast<uint16_t>(bits + 1)) : 65536.0f;
    const float middle = low + (high - low) / 2;  // exact
    for (const float value : {low, std::nextafterf(low, high), std::nextafterf(middle, low), middle,
                              std::nextafterf(middle, high), std::nextafterf(high, low)}) {
      expect_same(value);
      expect_same(-value);
    }
  }
}

TEST(Half, FromFloatAgreesOnBitPatternsOfEveryExponent) {
  for (uint64_t bits = 0; bits <= 0xffffffffu; bits += 4099) {
    expect_same(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  }
  expect_same(INFINITY);
  expect_same(-INFINITY);
  expect_same(NAN);
}

}  // namespace
}  // namespace npuvp::compiler
