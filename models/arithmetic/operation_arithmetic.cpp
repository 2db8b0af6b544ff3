// SPDX-License-Identifier: Apache-2.0
// Compiled once per instruction set by Highway; the compiler vectorises the loops for each.
#include "models/arithmetic/blocks.h"
#include "models/arithmetic/formats.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/arithmetic/operation_arithmetic.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace npuvp::arithmetic::HWY_NAMESPACE {
namespace {

/// IEEE 754-2019 maximum and minimum: a NaN wins, -0 is less than +0.
HWY_INLINE float largest(float a, float b) {
  const float ordered = a > b ? a : b;
  const float equal = std::bit_cast<float>(std::bit_cast<uint32_t>(a) & std::bit_cast<uint32_t>(b));
  const float number = a == b ? equal : ordered;
  return a != a ? a : b != b ? b : number;
}
HWY_INLINE float smallest(float a, float b) {
  const float ordered = a < b ? a : b;
  const float equal = std::bit_cast<float>(std::bit_cast<uint32_t>(a) | std::bit_cast<uint32_t>(b));
  const float number = a == b ? equal : ordered;
  return a != a ? a : b != b ? b : number;
}
HWY_INLINE int32_t largest(int32_t a, int32_t b) {
  return std::max(a, b);
}
HWY_INLINE int32_t smallest(int32_t a, int32_t b) {
  return std::min(a, b);
}

HWY_INLINE float sign(float value) {
  return value > 0 ? 1.0F : value < 0 ? -1.0F : value;  // zeros and NaN as they are
}
HWY_INLINE int32_t sign(int32_t value) {
  return (value > 0 ? 1 : 0) - (value < 0 ? 1 : 0);
}

/// Toward zero; x / 0 is the largest number of x's sign, 0 for 0.
HWY_INLINE int32_t quotient(int32_t a, int32_t b) {
  if (b == 0) return a > 0 ? INT32_MAX : a < 0 ? INT32_MIN : 0;
  return saturated(int64_t{a} / b);
}

template <class T, class Operation>
HWY_INLINE void each(const T* a, const T* b, const T* c, T* out, size_t count, Operation operation) {
  for (size_t i = 0; i < count; ++i) out[i] = operation(a[i], b[i], c[i]);
}

#define NPUVP_EACH(T, expression) \
  return each(a, b, c, out, count, [](T x, [[maybe_unused]] T y, [[maybe_unused]] T z) -> T { return expression; })

void operate_fp32(npu_elementwise_operation operation, const float* a, const float* b, const float* c, float* out,
                  size_t count) {
  switch (operation) {
    case NPU_OP_COPY:
      NPUVP_EACH(float, x);
    case NPU_OP_NEGATE:
      NPUVP_EACH(float, -x);
    case NPU_OP_ABSOLUTE:
      NPUVP_EACH(float, std::abs(x));
    case NPU_OP_SIGN:
      NPUVP_EACH(float, sign(x));
    case NPU_OP_FLOOR:
      NPUVP_EACH(float, to_integral(x, NPU_ROUND_DOWN));
    case NPU_OP_CEILING:
      NPUVP_EACH(float, to_integral(x, NPU_ROUND_UP));
    case NPU_OP_ROUND:
      NPUVP_EACH(float, to_integral(x, NPU_ROUND_NEAREST_EVEN));
    case NPU_OP_ADD:
      NPUVP_EACH(float, x + y);
    case NPU_OP_SUBTRACT:
      NPUVP_EACH(float, x - y);
    case NPU_OP_MULTIPLY:
      NPUVP_EACH(float, x* y);
    case NPU_OP_DIVIDE:
      NPUVP_EACH(float, x / y);
    case NPU_OP_MINIMUM:
      NPUVP_EACH(float, smallest(x, y));
    case NPU_OP_MAXIMUM:
      NPUVP_EACH(float, largest(x, y));
    case NPU_OP_MULTIPLY_ADD:
      NPUVP_EACH(float, std::fma(x, y, z));
    case NPU_OP_CLAMP:
      NPUVP_EACH(float, smallest(largest(x, y), z));
    case NPU_OP_SELECT:
      NPUVP_EACH(float, x != 0 ? y : z);
    default:
      return;
  }
}

void operate_int32(npu_elementwise_operation operation, const int32_t* a, const int32_t* b, const int32_t* c,
                   int32_t* out, size_t count) {
  switch (operation) {
    case NPU_OP_COPY:
    case NPU_OP_FLOOR:
    case NPU_OP_CEILING:
    case NPU_OP_ROUND:
      NPUVP_EACH(int32_t, x);
    case NPU_OP_NEGATE:
      NPUVP_EACH(int32_t, saturated(-int64_t{x}));
    case NPU_OP_ABSOLUTE:
      NPUVP_EACH(int32_t, saturated(x < 0 ? -int64_t{x} : int64_t{x}));
    case NPU_OP_SIGN:
      NPUVP_EACH(int32_t, sign(x));
    case NPU_OP_NOT:
      NPUVP_EACH(int32_t, ~x);
    case NPU_OP_ADD:
      NPUVP_EACH(int32_t, saturated(int64_t{x} + y));
    case NPU_OP_SUBTRACT:
      NPUVP_EACH(int32_t, saturated(int64_t{x} - y));
    case NPU_OP_MULTIPLY:
      NPUVP_EACH(int32_t, saturated(int64_t{x} * y));
    case NPU_OP_DIVIDE:
      NPUVP_EACH(int32_t, quotient(x, y));
    case NPU_OP_MINIMUM:
      NPUVP_EACH(int32_t, smallest(x, y));
    case NPU_OP_MAXIMUM:
      NPUVP_EACH(int32_t, largest(x, y));
    case NPU_OP_AND:
      NPUVP_EACH(int32_t, x & y);
    case NPU_OP_OR:
      NPUVP_EACH(int32_t, x | y);
    case NPU_OP_XOR:
      NPUVP_EACH(int32_t, x ^ y);
    case NPU_OP_MULTIPLY_ADD:
      NPUVP_EACH(int32_t, saturated(int64_t{x} * y + z));
    case NPU_OP_CLAMP:
      NPUVP_EACH(int32_t, smallest(largest(x, y), z));
    case NPU_OP_SELECT:
      NPUVP_EACH(int32_t, x != 0 ? y : z);
    default:
      return;
  }
}

#undef NPUVP_EACH

template <class T>
HWY_INLINE void compare(npu_elementwise_operation operation, const T* a, const T* b, int32_t* out, size_t count) {
  const auto each_pair = [&](auto holds) {
    for (size_t i = 0; i < count; ++i) out[i] = holds(a[i], b[i]) ? 1 : 0;
  };
  switch (operation) {
    case NPU_OP_EQUAL:
      return each_pair([](T x, T y) { return x == y; });
    case NPU_OP_NOT_EQUAL:
      return each_pair([](T x, T y) { return x != y; });
    case NPU_OP_LESS:
      return each_pair([](T x, T y) { return x < y; });
    case NPU_OP_LESS_EQUAL:
      return each_pair([](T x, T y) { return x <= y; });
    case NPU_OP_GREATER:
      return each_pair([](T x, T y) { return x > y; });
    default:
      return each_pair([](T x, T y) { return x >= y; });
  }
}
void compare_fp32(npu_elementwise_operation operation, const float* a, const float* b, int32_t* out, size_t count) {
  compare(operation, a, b, out, count);
}
void compare_int32(npu_elementwise_operation operation, const int32_t* a, const int32_t* b, int32_t* out,
                   size_t count) {
  compare(operation, a, b, out, count);
}

void quantize_loop(const float* a, const float* b, const int32_t* c, npu_rounding rounding, int32_t* out,
                   size_t count) {
  if (rounding == NPU_ROUND_NEAREST_EVEN) {
    for (size_t i = 0; i < count; ++i) {
      const int32_t nearest = to_integer(a[i] / b[i], 32, NPU_ROUND_NEAREST_EVEN, NPU_SATURATE_INTEGERS);
      out[i] = saturated(int64_t{nearest} + c[i]);
    }
  } else {
    for (size_t i = 0; i < count; ++i) {
      out[i] = saturated(int64_t{to_integer(a[i] / b[i], 32, rounding, NPU_SATURATE_INTEGERS)} + c[i]);
    }
  }
}

void dequantize_loop(const int32_t* a, const float* b, const int32_t* c, float* out, size_t count) {
  for (size_t i = 0; i < count; ++i) out[i] = static_cast<float>(saturated(int64_t{a[i]} - c[i])) * b[i];
}

}  // namespace
}  // namespace npuvp::arithmetic::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace npuvp::arithmetic {
namespace {
HWY_EXPORT(operate_fp32);
HWY_EXPORT(operate_int32);
HWY_EXPORT(compare_fp32);
HWY_EXPORT(compare_int32);
HWY_EXPORT(quantize_loop);
HWY_EXPORT(dequantize_loop);
}  // namespace

void operation_block(npu_elementwise_operation operation, const float* a, const float* b, const float* c, float* out,
                     size_t count) {
  HWY_DYNAMIC_DISPATCH(operate_fp32)(operation, a, b, c, out, count);
}
void operation_block(npu_elementwise_operation operation, const int32_t* a, const int32_t* b, const int32_t* c,
                     int32_t* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(operate_int32)(operation, a, b, c, out, count);
}
void comparison_block(npu_elementwise_operation operation, const float* a, const float* b, int32_t* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(compare_fp32)(operation, a, b, out, count);
}
void comparison_block(npu_elementwise_operation operation, const int32_t* a, const int32_t* b, int32_t* out,
                      size_t count) {
  HWY_DYNAMIC_DISPATCH(compare_int32)(operation, a, b, out, count);
}
void quantize_block(const float* a, const float* b, const int32_t* c, npu_rounding rounding, int32_t* out,
                    size_t count) {
  HWY_DYNAMIC_DISPATCH(quantize_loop)(a, b, c, rounding, out, count);
}
void dequantize_block(const int32_t* a, const float* b, const int32_t* c, float* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(dequantize_loop)(a, b, c, out, count);
}

}  // namespace npuvp::arithmetic
#endif
