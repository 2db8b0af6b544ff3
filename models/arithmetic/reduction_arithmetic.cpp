// SPDX-License-Identifier: Apache-2.0
// Compiled once per instruction set by Highway; the compiler vectorises the loops for each.
#include "models/arithmetic/blocks.h"
#include "models/arithmetic/formats.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/arithmetic/reduction_arithmetic.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace npuvp::arithmetic::HWY_NAMESPACE {
namespace {

constexpr size_t kLanes = 16;  // of the definition, whatever vectors the host has

HWY_INLINE float larger(float a, float b) {
  const float equal = std::bit_cast<float>(std::bit_cast<uint32_t>(a) & std::bit_cast<uint32_t>(b));
  const float number = a == b ? equal : (a > b ? a : b);
  return a != a ? a : b != b ? b : number;
}
HWY_INLINE float smaller(float a, float b) {
  const float equal = std::bit_cast<float>(std::bit_cast<uint32_t>(a) | std::bit_cast<uint32_t>(b));
  const float number = a == b ? equal : (a < b ? a : b);
  return a != a ? a : b != b ? b : number;
}
HWY_INLINE int32_t larger(int32_t a, int32_t b) {
  return a > b ? a : b;
}
HWY_INLINE int32_t smaller(int32_t a, int32_t b) {
  return a < b ? a : b;
}

/// Lanes take their elements in turn, then the upper half is combined into the lower until one is left.
template <class T, class Step, class Join>
HWY_INLINE T reduce_lanes(const T* in, size_t count, T start, Step step, Join join) {
  T lanes[kLanes];
  for (T& lane : lanes) lane = start;
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] = step(lanes[lane], in[i + lane]);
  }
  for (size_t lane = 0; i + lane < count; ++lane) lanes[lane] = step(lanes[lane], in[i + lane]);
  for (size_t width = kLanes / 2; width > 0; width /= 2) {
    for (size_t lane = 0; lane < width; ++lane) lanes[lane] = join(lanes[lane], lanes[lane + width]);
  }
  return lanes[0];
}

template <class T>
struct Limits {
  static constexpr T kLowest =
      std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
  static constexpr T kHighest =
      std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
};

template <class T, class Work>
HWY_INLINE auto with_operation(npu_reduction operation, Work work) {
  const auto add = [](T sum, T value) { return static_cast<T>(sum + value); };
  switch (operation) {
    case NPU_REDUCE_SUM:
      return work(T{}, add, add);
    case NPU_REDUCE_SUM_OF_SQUARES:
      return work(
          T{}, [](T sum, T value) { return static_cast<T>(sum + value * value); }, add);
    case NPU_REDUCE_MAXIMUM: {
      const auto maximum = [](T a, T b) { return larger(a, b); };
      return work(Limits<T>::kLowest, maximum, maximum);
    }
    default: {
      const auto minimum = [](T a, T b) { return smaller(a, b); };
      return work(Limits<T>::kHighest, minimum, minimum);
    }
  }
}

template <class T>
HWY_INLINE T reduce(npu_reduction operation, const T* in, size_t count) {
  return with_operation<T>(operation,
                           [&](T start, auto step, auto join) { return reduce_lanes(in, count, start, step, join); });
}
float reduce_fp32(npu_reduction operation, const float* in, size_t count) {
  return reduce(operation, in, count);
}
int32_t reduce_int32(npu_reduction operation, const int32_t* in, size_t count) {
  return reduce(operation, in, count);
}

template <class T>
HWY_INLINE void combine(npu_reduction operation, const T* in, T* sums, size_t count) {
  with_operation<T>(operation, [&](T, auto step, auto) {
    for (size_t i = 0; i < count; ++i) sums[i] = step(sums[i], in[i]);
  });
}
void combine_fp32(npu_reduction operation, const float* in, float* sums, size_t count) {
  combine(operation, in, sums, count);
}
void combine_int32(npu_reduction operation, const int32_t* in, int32_t* sums, size_t count) {
  combine(operation, in, sums, count);
}

void multiply_loop(const float* in, float factor, float* out, size_t count) {
  for (size_t i = 0; i < count; ++i) out[i] = in[i] * factor;
}
void subtract_loop(const float* in, float offset, float* out, size_t count) {
  for (size_t i = 0; i < count; ++i) out[i] = in[i] - offset;
}
void divide_loop(const float* in, float divisor, float* out, size_t count) {
  for (size_t i = 0; i < count; ++i) out[i] = in[i] / divisor;
}
void rotate_loop(const float* a, const float* b, const float* cosine, const float* sine, float* first, float* second,
                 size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const float x = a[i];
    const float y = b[i];
    first[i] = x * cosine[i] - y * sine[i];
    second[i] = y * cosine[i] + x * sine[i];
  }
}

}  // namespace
}  // namespace npuvp::arithmetic::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace npuvp::arithmetic {
namespace {
HWY_EXPORT(reduce_fp32);
HWY_EXPORT(reduce_int32);
HWY_EXPORT(combine_fp32);
HWY_EXPORT(combine_int32);
HWY_EXPORT(multiply_loop);
HWY_EXPORT(subtract_loop);
HWY_EXPORT(divide_loop);
HWY_EXPORT(rotate_loop);
}  // namespace

float reduce_block(npu_reduction operation, const float* in, size_t count) {
  return HWY_DYNAMIC_DISPATCH(reduce_fp32)(operation, in, count);
}
int32_t reduce_block(npu_reduction operation, const int32_t* in, size_t count) {
  return HWY_DYNAMIC_DISPATCH(reduce_int32)(operation, in, count);
}
void reduce_into(npu_reduction operation, const float* in, float* sums, size_t count) {
  HWY_DYNAMIC_DISPATCH(combine_fp32)(operation, in, sums, count);
}
void reduce_into(npu_reduction operation, const int32_t* in, int32_t* sums, size_t count) {
  HWY_DYNAMIC_DISPATCH(combine_int32)(operation, in, sums, count);
}
void multiply_by(const float* in, float factor, float* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(multiply_loop)(in, factor, out, count);
}
void subtract(const float* in, float offset, float* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(subtract_loop)(in, offset, out, count);
}
void divide_by(const float* in, float divisor, float* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(divide_loop)(in, divisor, out, count);
}
void rotate_block(const float* a, const float* b, const float* cosine, const float* sine, float* first, float* second,
                  size_t count) {
  HWY_DYNAMIC_DISPATCH(rotate_loop)(a, b, cosine, sine, first, second, count);
}

}  // namespace npuvp::arithmetic
#endif
