// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "models/arithmetic/arithmetic.h"
#include "models/arithmetic/fp16.h"

namespace npuvp::arithmetic {
namespace {

// FP16 in memory; its bits, so that it is a type of its own.
enum class Half : uint16_t {};

template <class T>
T load(const uint8_t* row, size_t index) {
  T value;
  std::memcpy(&value, row + index * sizeof(T), sizeof(T));
  return value;
}

template <class T>
void store(uint8_t* row, size_t index, T value) {
  std::memcpy(row + index * sizeof(T), &value, sizeof(T));
}

int32_t widen(int8_t value) {
  return value;
}
int32_t widen(int32_t value) {
  return value;
}
float widen(Half value) {
  return fp16_to_fp32(static_cast<uint16_t>(value));
}
float widen(float value) {
  return value;
}

int32_t add(int32_t a, int32_t b) {
  constexpr auto kSignBit = 0x80000000u;
  const auto sum = static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
  const auto limit = static_cast<int32_t>((static_cast<uint32_t>(a) >> 31) + 0x7fffffffu);
  const bool overflow = ((~(a ^ b) & (a ^ sum)) & static_cast<int32_t>(kSignBit)) != 0;
  return overflow ? limit : sum;
}
float add(float a, float b) {
  return a + b;
}

int32_t relu(int32_t value) {
  return std::max(value, 0);
}
float relu(float value) {
  return value <= 0.0F ? 0.0F : value;
}  // a NaN compares false and stays

float canonical(float value) {
  return std::isnan(value) ? std::bit_cast<float>(kCanonicalNan32) : value;
}

/// Round to nearest even, |value| may be anything but a NaN. From 2^23 on a float has no fraction.
float nearest(float value) {
  const float magic = std::copysign(0x1p23F, value);
  return std::abs(value) < 0x1p23F ? (value + magic) - magic : value;
}

template <class Out>
Out convert(int32_t value) {
  if constexpr (std::is_same_v<Out, int8_t>) return static_cast<int8_t>(std::clamp(value, -128, 127));
  if constexpr (std::is_same_v<Out, int32_t>) return value;
  if constexpr (std::is_same_v<Out, Half>) return Half{fp32_to_fp16(static_cast<float>(value))};
  if constexpr (std::is_same_v<Out, float>) return static_cast<float>(value);
}

template <class Out>
Out convert(float value) {
  if constexpr (std::is_same_v<Out, int8_t>) {
    const float number = std::isnan(value) ? 0.0F : value;
    return static_cast<int8_t>(static_cast<int32_t>(nearest(std::clamp(number, -128.0F, 127.0F))));
  }
  if constexpr (std::is_same_v<Out, int32_t>) {
    constexpr float kLargest = 0x1.fffffep30F;  // below 2^31
    const float number = std::isnan(value) ? 0.0F : value;
    const auto rounded = static_cast<int32_t>(nearest(std::clamp(number, -0x1p31F, kLargest)));
    return number > kLargest ? std::numeric_limits<int32_t>::max() : rounded;
  }
  if constexpr (std::is_same_v<Out, Half>) return Half{fp32_to_fp16(value)};
  if constexpr (std::is_same_v<Out, float>) return canonical(value);
}

template <class In, class Out, uint32_t kFlags>
void rows(const VectorOperands& v) {
  using Value = decltype(widen(In{}));  // int32_t or float, also the bias's type
  for (size_t m = 0; m < v.m; ++m) {
    const uint8_t* in = v.in + m * v.in_stride;
    uint8_t* out = v.out + m * v.out_stride;
    for (size_t n = 0; n < v.n; ++n) {
      Value value = widen(load<In>(in, n));
      if constexpr ((kFlags & NPU_VECTOR_BIAS) != 0) value = add(value, load<Value>(v.bias, n));
      if constexpr ((kFlags & NPU_VECTOR_RELU) != 0) value = relu(value);
      if constexpr ((kFlags & NPU_VECTOR_SCALE) != 0) {
        store(out, n, convert<Out>(static_cast<float>(value) * load<float>(v.scale, n)));
      } else {
        store(out, n, convert<Out>(value));
      }
    }
  }
}

template <class In, class Out>
void with_flags(const VectorOperands& v) {
  static constexpr void (*kTable[])(const VectorOperands&) = {
      rows<In, Out, 0>, rows<In, Out, 1>, rows<In, Out, 2>, rows<In, Out, 3>,
      rows<In, Out, 4>, rows<In, Out, 5>, rows<In, Out, 6>, rows<In, Out, 7>,
  };
  static_assert((NPU_VECTOR_BIAS | NPU_VECTOR_RELU | NPU_VECTOR_SCALE) == 7);
  kTable[v.flags & 7u](v);
}

template <class In>
void with_output(const VectorOperands& v) {
  switch (v.out_type) {
    case NPU_TYPE_INT8:
      return with_flags<In, int8_t>(v);
    case NPU_TYPE_INT32:
      return with_flags<In, int32_t>(v);
    case NPU_TYPE_FP16:
      return with_flags<In, Half>(v);
    case NPU_TYPE_FP32:
      return with_flags<In, float>(v);
    default:
      return;
  }
}

}  // namespace

void vector_operation(const VectorOperands& vector) {
  switch (vector.in_type) {
    case NPU_TYPE_INT8:
      return with_output<int8_t>(vector);
    case NPU_TYPE_INT32:
      return with_output<int32_t>(vector);
    case NPU_TYPE_FP16:
      return with_output<Half>(vector);
    case NPU_TYPE_FP32:
      return with_output<float>(vector);
    default:
      return;
  }
}

}  // namespace npuvp::arithmetic
