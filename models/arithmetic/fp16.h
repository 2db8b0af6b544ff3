// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

namespace npuvp::arithmetic {

inline constexpr uint32_t kCanonicalNan32 = 0x7fc00000;
inline constexpr uint16_t kCanonicalNan16 = 0x7e00;

// Both conversions are free of branches, so that a loop over them vectorises, and use no host FP16 instruction, so that
// every host computes the same bits. They need the default floating-point environment (round to nearest, subnormals).

/// Exact. A NaN stays a NaN; its payload is not defined.
[[nodiscard]] inline float fp16_to_fp32(uint16_t half) {
  constexpr float kExponentOffset = 0x1p112F;  // the difference of the exponent biases, 127 - 15
  const uint32_t magnitude = static_cast<uint32_t>(half & 0x7fffu) << 13;
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t finite = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) * kExponentOffset);
  const uint32_t special = magnitude >= 0x0f800000u ? 0x7f800000u : 0u;
  return std::bit_cast<float>(finite | special | sign);
}

/// Round to nearest even, subnormals kept, overflow to infinity, NaN to kCanonicalNan16.
[[nodiscard]] inline uint16_t fp32_to_fp16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t magnitude = bits & 0x7fffffffu;
  // Below the smallest normal FP16 number the last place is 2^-24, which is the last place of a float in [0.5, 1).
  const uint32_t subnormal = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - 0x3f000000u;
  // From there on rounding is an integer addition that carries into the exponent.
  const uint32_t normal = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  uint32_t half = magnitude < 0x38800000u ? subnormal : normal;
  half = magnitude >= 0x477ff000u ? 0x7c00u : half;  // 65520 and more
  half |= (bits >> 16) & 0x8000u;
  return static_cast<uint16_t>(magnitude > 0x7f800000u ? kCanonicalNan16 : half);
}

}  // namespace npuvp::arithmetic
