// SPDX-License-Identifier: Apache-2.0
// The number formats of models/arithmetic/README.md and their conversion, from definitions: formats by their fields and
// ldexp, rounding by looking at both neighbours.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "tests/models/arithmetic/reference.h"

namespace npuvp::test {

inline constexpr unsigned kAllTypes[] = {NPU_TYPE_INT8, NPU_TYPE_INT32,    NPU_TYPE_FP16,     NPU_TYPE_FP32,
                                         NPU_TYPE_BF16, NPU_TYPE_FP8_E4M3, NPU_TYPE_FP8_E5M2, NPU_TYPE_INT4};

inline bool integer_type(unsigned type) {
  return type == NPU_TYPE_INT8 || type == NPU_TYPE_INT32 || type == NPU_TYPE_INT4;
}
inline unsigned bits_of(unsigned type) {
  switch (type) {
    case NPU_TYPE_INT4:
      return 4;
    case NPU_TYPE_INT8:
    case NPU_TYPE_FP8_E4M3:
    case NPU_TYPE_FP8_E5M2:
      return 8;
    case NPU_TYPE_FP16:
    case NPU_TYPE_BF16:
      return 16;
    default:
      return 32;
  }
}

/// Element `index` of a row that begins at `row`.
inline uint32_t get_element(const uint8_t* row, unsigned type, size_t index) {
  if (type == NPU_TYPE_INT4) return row[index / 2] >> (index % 2 * 4) & 15;
  uint32_t bits = 0;
  for (unsigned byte = 0; byte < bits_of(type) / 8; ++byte) {
    bits |= uint32_t{row[index * (bits_of(type) / 8) + byte]} << 8 * byte;
  }
  return bits;
}
inline void put_element(uint8_t* row, unsigned type, size_t index, uint32_t bits) {
  if (type == NPU_TYPE_INT4) {
    uint8_t& byte = row[index / 2];
    byte = static_cast<uint8_t>(index % 2 == 0 ? (byte & 0xf0) | (bits & 15) : (byte & 15) | (bits & 15) << 4);
    return;
  }
  for (unsigned byte = 0; byte < bits_of(type) / 8; ++byte) {
    row[index * (bits_of(type) / 8) + byte] = static_cast<uint8_t>(bits >> 8 * byte);
  }
}

/// Exponent and mantissa widths of the narrow formats.
struct Fields {
  int exponent;
  int mantissa;
  uint32_t largest;
  uint32_t overflow;
  uint32_t nan;
  explicit Fields(unsigned type) {
    switch (type) {
      case NPU_TYPE_FP16:
        exponent = 5, mantissa = 10, largest = 0x7bff, overflow = 0x7c00, nan = 0x7e00;
        break;
      case NPU_TYPE_BF16:
        exponent = 8, mantissa = 7, largest = 0x7f7f, overflow = 0x7f80, nan = 0x7fc0;
        break;
      case NPU_TYPE_FP8_E4M3:
        exponent = 4, mantissa = 3, largest = 0x7e, overflow = 0x7f, nan = 0x7f;
        break;
      default:
        exponent = 5, mantissa = 2, largest = 0x7b, overflow = 0x7c, nan = 0x7e;
    }
  }
  /// Value of a code without sign, as if the exponents went on for ever.
  [[nodiscard]] double magnitude(uint32_t code) const {
    const int bias = (1 << (exponent - 1)) - 1;
    const int field = static_cast<int>(code >> mantissa);
    const double fraction = std::ldexp(code & ((1u << mantissa) - 1), -mantissa);
    return field == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1 + fraction, field - bias);
  }
};

inline int64_t integer_of(unsigned type, uint32_t bits) {
  const int64_t range = int64_t{1} << bits_of(type);
  return bits >= static_cast<uint64_t>(range / 2) ? int64_t{bits} - range : int64_t{bits};
}

/// The element as FP32.
inline float float_of(unsigned type, uint32_t bits) {
  if (integer_type(type)) return static_cast<float>(integer_of(type, bits));
  if (type == NPU_TYPE_FP32) return std::bit_cast<float>(bits);
  const Fields fields(type);
  const uint32_t sign = 1u << (bits_of(type) - 1);
  const uint32_t code = bits & (sign - 1);
  double value = fields.magnitude(code);
  if (code > fields.largest) value = code == fields.overflow && type != NPU_TYPE_FP8_E4M3 ? INFINITY : NAN;
  return static_cast<float>((bits & sign) != 0 ? -value : value);
}

inline double rounded(double value, unsigned rounding) {
  switch (rounding) {
    case NPU_ROUND_TOWARD_ZERO:
      return std::trunc(value);
    case NPU_ROUND_DOWN:
      return std::floor(value);
    case NPU_ROUND_UP:
      return std::ceil(value);
    case NPU_ROUND_NEAREST_AWAY:
      return std::round(value);
    default:
      return std::nearbyint(value);
  }
}

inline uint32_t integer_bits(unsigned type, double value, unsigned saturation) {
  const double range = std::ldexp(1, static_cast<int>(bits_of(type)));
  if (std::isnan(value)) return 0;
  if (saturation == NPU_SATURATE_NONE) {
    if (std::isinf(value)) return 0;
    double rest = std::fmod(value, range);
    if (rest < 0) rest += range;
    return static_cast<uint32_t>(static_cast<uint64_t>(rest));
  }
  const double clamped = std::fmin(std::fmax(value, -range / 2), range / 2 - 1);
  return static_cast<uint32_t>(static_cast<int64_t>(clamped)) & static_cast<uint32_t>(static_cast<uint64_t>(range) - 1);
}

/// Bits of an FP32 number as an element of the result.
inline uint32_t bits_of_float(const npu_result& result, float value) {
  if (integer_type(result.type)) {
    return integer_bits(result.type, std::isfinite(value) ? rounded(value, result.rounding) : value, result.saturation);
  }
  const bool finite = result.saturation == NPU_SATURATE_ALL;
  if (result.type == NPU_TYPE_FP32) {
    if (finite && std::isinf(value)) value = std::copysign(std::numeric_limits<float>::max(), value);
    return float_bits(value);
  }
  const Fields fields(result.type);
  const uint32_t sign = std::signbit(value) ? 1u << (bits_of(result.type) - 1) : 0;
  const double magnitude = std::fabs(static_cast<double>(value));
  if (std::isnan(value)) return fields.nan;
  if (std::isinf(value)) return sign | (finite ? fields.largest : fields.overflow);
  uint32_t low = 0;
  for (uint32_t step = 1u << 15; step != 0; step >>= 1) {
    if (low + step <= fields.largest && fields.magnitude(low + step) <= magnitude) low += step;
  }
  const double below = magnitude - fields.magnitude(low);
  const double above = fields.magnitude(low + 1) - magnitude;
  bool up = false;
  if (below != 0) {
    switch (result.rounding) {
      case NPU_ROUND_TOWARD_ZERO:
        break;
      case NPU_ROUND_DOWN:
        up = sign != 0;
        break;
      case NPU_ROUND_UP:
        up = sign == 0;
        break;
      case NPU_ROUND_NEAREST_AWAY:
        up = below >= above;
        break;
      default:
        up = below > above || (below == above && low % 2 != 0);
    }
  }
  const uint32_t code = low + (up ? 1 : 0);
  return sign | (code > fields.largest ? (finite ? fields.largest : fields.overflow) : code);
}

/// Bits of an INT32 as an element of the result.
inline uint32_t bits_of_integer(const npu_result& result, int64_t value) {
  if (integer_type(result.type)) return integer_bits(result.type, static_cast<double>(value), result.saturation);
  return bits_of_float(result, static_cast<float>(value));
}

}  // namespace npuvp::test
