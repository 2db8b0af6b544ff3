// SPDX-License-Identifier: Apache-2.0
#include "sw/compiler/arithmetic.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "sw/compiler/half.h"

namespace npuvp::compiler {
namespace {

constexpr uint32_t kQuietBit = 0x00400000u;

float quiet(float value) {
  return std::isnan(value) ? std::bit_cast<float>(std::bit_cast<uint32_t>(value) | kQuietBit) : value;
}

template <typename T>
T saturate(int32_t value) {
  return static_cast<T>(std::clamp<int32_t>(value, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
}

uint32_t convert(float value, uint8_t out_type) {
  switch (out_type) {
    case NPU_TYPE_INT8:
      return static_cast<uint8_t>(float_to_int8(value));
    case NPU_TYPE_INT32:
      return static_cast<uint32_t>(float_to_int32(value));
    case NPU_TYPE_FP16:
      return float_to_half(value);
    default:
      return std::bit_cast<uint32_t>(value);
  }
}

uint32_t convert(int32_t value, uint8_t out_type) {
  switch (out_type) {
    case NPU_TYPE_INT8:
      return static_cast<uint8_t>(saturate<int8_t>(value));
    case NPU_TYPE_INT32:
      return static_cast<uint32_t>(value);
    default:
      return convert(static_cast<float>(value), out_type);
  }
}

uint32_t integer_element(int32_t value, int32_t bias, float scale, uint8_t flags, uint8_t out_type) {
  if ((flags & NPU_VECTOR_BIAS) != 0) {
    value = saturating_add(value, bias);
  }
  if ((flags & NPU_VECTOR_RELU) != 0) {
    value = std::max(value, 0);
  }
  return (flags & NPU_VECTOR_SCALE) != 0 ? convert(static_cast<float>(value) * scale, out_type)
                                         : convert(value, out_type);
}

uint32_t float_element(float value, float bias, float scale, uint8_t flags, uint8_t out_type) {
  if ((flags & NPU_VECTOR_BIAS) != 0) {
    value += bias;
  }
  if ((flags & NPU_VECTOR_RELU) != 0) {
    value = std::isnan(value) ? quiet(value) : (value > 0 ? value : 0.0f);
  }
  if ((flags & NPU_VECTOR_SCALE) != 0) {
    value *= scale;
  }
  return convert(value, out_type);
}

}  // namespace

int32_t saturating_add(int32_t a, int32_t b) {
  return static_cast<int32_t>(
      std::clamp<int64_t>(int64_t{a} + b, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()));
}

int32_t float_to_int32(float value) {
  if (std::isnan(value)) {
    return 0;
  }
  const double rounded = std::nearbyint(static_cast<double>(value));  // the default rounding mode is nearest even
  return static_cast<int32_t>(std::clamp(rounded, -2147483648.0, 2147483647.0));
}

int8_t float_to_int8(float value) {
  return saturate<int8_t>(float_to_int32(value));
}

uint32_t vector_element(uint32_t in, uint8_t in_type, uint32_t bias, float scale, uint8_t flags, uint8_t out_type) {
  switch (in_type) {
    case NPU_TYPE_INT8:
      return integer_element(static_cast<int8_t>(in), static_cast<int32_t>(bias), scale, flags, out_type);
    case NPU_TYPE_INT32:
      return integer_element(static_cast<int32_t>(in), static_cast<int32_t>(bias), scale, flags, out_type);
    case NPU_TYPE_FP16:
      return float_element(half_to_float(static_cast<uint16_t>(in)), std::bit_cast<float>(bias), scale, flags,
                           out_type);
    default:
      return float_element(std::bit_cast<float>(in), std::bit_cast<float>(bias), scale, flags, out_type);
  }
}

}  // namespace npuvp::compiler
