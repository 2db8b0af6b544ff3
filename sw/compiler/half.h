// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

namespace npuvp::compiler {

/// FP16 (IEEE 754 binary16) to FP32. Exact, subnormals included; a signalling NaN becomes quiet, payload kept.
[[nodiscard]] constexpr float half_to_float(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t exponent = (half >> 10) & 0x1fu;
  const uint32_t mantissa = half & 0x3ffu;
  uint32_t magnitude = 0;
  if (exponent == 0x1f) {
    magnitude = 0x7f800000u | (mantissa << 13) | (mantissa != 0 ? 0x00400000u : 0u);
  } else if (exponent != 0) {
    magnitude = ((exponent + 112u) << 23) | (mantissa << 13);
  } else if (mantissa != 0) {
    const auto shift = static_cast<uint32_t>(std::countl_zero(mantissa)) - 21u;  // brings the leading one to bit 10
    magnitude = ((113u - shift) << 23) | (((mantissa << shift) & 0x3ffu) << 13);
  }
  return std::bit_cast<float>(sign | magnitude);
}

/// FP32 to FP16, round to nearest even, overflow to infinity, underflow to subnormals and zero; NaN stays NaN (quiet).
[[nodiscard]] constexpr uint16_t float_to_half(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) {
    return static_cast<uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
  }
  if (magnitude >= 0x477ff000u) {  // 65520, half-way between the largest finite number and the next power of two
    return static_cast<uint16_t>(sign | 0x7c00u);
  }
  uint32_t significand = magnitude - 0x38000000u;  // rebased exponent and mantissa
  uint32_t shift = 13;
  if (magnitude < 0x38800000u) {  // below 2^-14: in units of 2^-24
    const uint32_t exponent = magnitude >> 23;
    if (exponent < 102u) {  // below 2^-25
      return static_cast<uint16_t>(sign);
    }
    significand = (magnitude & 0x7fffffu) | 0x800000u;
    shift = 126u - exponent;
  }
  const uint32_t remainder = significand & ((1u << shift) - 1u);
  const uint32_t half_way = 1u << (shift - 1u);
  uint32_t result = significand >> shift;
  result += (remainder > half_way || (remainder == half_way && (result & 1u) != 0)) ? 1u : 0u;
  return static_cast<uint16_t>(sign | result);
}

}  // namespace npuvp::compiler
