// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "firmware/abi/command.h"
#include "models/arithmetic/fp16.h"

namespace npuvp::arithmetic {

// The number formats of README.md, one element at a time. Everything here is free of data-dependent branches where it
// counts, so that the loops over it vectorise.

/// A binary floating-point format narrower than FP32.
struct FloatFormat {
  int mantissa_bits;
  int bias;
  uint32_t largest;   ///< Code of the largest finite number.
  uint32_t overflow;  ///< Code that stands for overflow: infinity, or NaN where there is none.
  uint32_t nan;       ///< Code of the canonical NaN.
  uint32_t sign;      ///< Bit of the sign.
};

inline constexpr FloatFormat kFp16{10, 15, 0x7bff, 0x7c00, kCanonicalNan16, 0x8000};
inline constexpr FloatFormat kBf16{7, 127, 0x7f7f, 0x7f80, 0x7fc0, 0x8000};
inline constexpr FloatFormat kFp8E4m3{3, 7, 0x7e, 0x7f, 0x7f, 0x80};
inline constexpr FloatFormat kFp8E5m2{2, 15, 0x7b, 0x7c, 0x7e, 0x80};

/// One more unit in the last place? `rest` is what was cut off, of which `half` is half a unit.
[[nodiscard, gnu::always_inline]] inline uint32_t round_increment(npu_rounding rounding, bool negative,
                                                                  uint32_t quotient, uint32_t rest, uint32_t half) {
  switch (rounding) {
    case NPU_ROUND_NEAREST_EVEN:
      return rest > half || (rest == half && (quotient & 1u) != 0) ? 1 : 0;
    case NPU_ROUND_TOWARD_ZERO:
      return 0;
    case NPU_ROUND_DOWN:
      return negative && rest != 0 ? 1 : 0;
    case NPU_ROUND_UP:
      return !negative && rest != 0 ? 1 : 0;
    case NPU_ROUND_NEAREST_AWAY:
      return rest >= half ? 1 : 0;
  }
  return 0;
}

/// Code of `value` in a narrower format.
[[nodiscard, gnu::always_inline]] inline uint32_t narrow(const FloatFormat& format, float value, npu_rounding rounding,
                                                         npu_saturation saturation) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t magnitude = bits & 0x7fffffffu;
  const bool negative = (bits >> 31) != 0;
  const bool normal = magnitude >= 0x00800000u;
  const uint32_t significand = (magnitude & 0x007fffffu) | (normal ? 0x00800000u : 0u);
  const int exponent = normal ? static_cast<int>(magnitude >> 23) - 127 : -126;
  const int lowest = 1 - format.bias;
  const int shift = std::min(23 - format.mantissa_bits + std::max(0, lowest - exponent), 26);
  const uint32_t quotient = significand >> shift;
  const uint32_t rest = significand & ((1u << shift) - 1);
  const uint32_t above = exponent > lowest ? static_cast<uint32_t>(exponent - lowest) << format.mantissa_bits : 0;
  uint32_t code = above + quotient + round_increment(rounding, negative, quotient, rest, 1u << (shift - 1));

  const bool infinite = magnitude == 0x7f800000u;
  // A directed rounding toward zero stops at the largest number.
  const bool inward = rounding == NPU_ROUND_TOWARD_ZERO || (rounding == NPU_ROUND_DOWN && !negative) ||
                      (rounding == NPU_ROUND_UP && negative);
  const bool stays = saturation == NPU_SATURATE_ALL || (inward && !infinite);
  code = infinite || code > format.largest ? (stays ? format.largest : format.overflow) : code;
  return magnitude > 0x7f800000u ? format.nan : code | (negative ? format.sign : 0u);
}

[[nodiscard]] inline float bf16_to_fp32(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

/// E5M2 is the upper byte of FP16.
[[nodiscard]] inline uint16_t fp8_e5m2_to_fp16(uint8_t bits) {
  return static_cast<uint16_t>(bits << 8);
}

/// Exact: the bias of FP16 is larger by 8, so that a multiplication by 2^8 adjusts normal and subnormal numbers alike.
[[nodiscard]] inline float fp8_e4m3_to_fp32(uint8_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x80u) << 24;
  const uint32_t magnitude = static_cast<uint32_t>(bits & 0x7fu) << 20;  // exponent field of FP32, bias 7
  const uint32_t finite = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) * 0x1p120F);
  return std::bit_cast<float>(((bits & 0x7fu) == 0x7fu ? 0x7fc00000u : finite) | sign);
}

/// The same as FP16, where every E4M3 number is a normal number or 0.
[[nodiscard]] inline uint16_t fp8_e4m3_to_fp16(uint8_t bits) {
  return static_cast<uint16_t>(narrow(kFp16, fp8_e4m3_to_fp32(bits), NPU_ROUND_NEAREST_EVEN, NPU_SATURATE_INTEGERS));
}

[[nodiscard]] inline int32_t int4_to_int32(uint8_t packed, bool odd) {
  return static_cast<int32_t>(static_cast<uint32_t>(packed) << (odd ? 24 : 28)) >> 28;
}

[[nodiscard]] inline float canonical(float value) {
  return std::isnan(value) ? std::bit_cast<float>(kCanonicalNan32) : value;
}

/// `value` rounded to an integer; no NaN.
[[nodiscard, gnu::always_inline]] inline float to_integral(float value, npu_rounding rounding) {
  // From 2^23 on a float has no fraction.
  const float magic = std::copysign(0x1p23F, value);
  const float nearest = std::abs(value) < 0x1p23F ? (value + magic) - magic : value;
  const float truncated = nearest - (std::abs(nearest) > std::abs(value) ? std::copysign(1.0F, value) : 0.0F);
  switch (rounding) {
    case NPU_ROUND_NEAREST_EVEN:
      return std::copysign(nearest, value);
    case NPU_ROUND_TOWARD_ZERO:
      return std::copysign(truncated, value);
    case NPU_ROUND_DOWN:
      return std::copysign(nearest - (nearest > value ? 1.0F : 0.0F), value);
    case NPU_ROUND_UP:
      return std::copysign(nearest + (nearest < value ? 1.0F : 0.0F), value);
    case NPU_ROUND_NEAREST_AWAY:
      return std::copysign(truncated + (std::abs(value - truncated) >= 0.5F ? std::copysign(1.0F, value) : 0.0F),
                           value);
  }
  return value;
}

/// An FP32 number as an integer of `bits` (4, 8, 32), in the low bits of the result. NaN becomes 0.
[[nodiscard, gnu::always_inline]] inline int32_t to_integer(float value, int bits, npu_rounding rounding,
                                                            npu_saturation saturation) {
  const double number = std::isnan(value) ? 0.0 : static_cast<double>(to_integral(value, rounding));
  const double limit = static_cast<double>(int64_t{1} << (bits - 1));
  if (saturation != NPU_SATURATE_NONE) return static_cast<int32_t>(std::clamp(number, -limit, limit - 1));
  // From 2^56 on a float is a multiple of 2^32: modulo 2^32 it is 0. So is infinity, by definition.
  return static_cast<int32_t>(static_cast<int64_t>(std::abs(number) < 0x1p56 ? number : 0.0));
}

/// The same for an INT32.
[[nodiscard, gnu::always_inline]] inline int32_t to_integer(int32_t value, int bits, npu_saturation saturation) {
  const auto limit = static_cast<int32_t>((uint32_t{1} << (bits - 1)) - 1);
  return saturation == NPU_SATURATE_NONE ? value : std::clamp(value, -limit - 1, limit);
}

// INT32 operations saturate.
[[nodiscard]] inline int32_t saturated(int64_t value) {
  return static_cast<int32_t>(
      std::clamp<int64_t>(value, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()));
}

}  // namespace npuvp::arithmetic
