// SPDX-License-Identifier: Apache-2.0
// The vector unit's arithmetic of models/arithmetic/README.md once more, one element at a time, from definitions:
// formats as in format_reference.h, integers in 64 bits, functions by MPFR.
#pragma once

#include <cmath>
#include <unordered_map>
#include <vector>

#include "tests/models/arithmetic/exact_functions.h"
#include "tests/models/arithmetic/format_reference.h"

namespace npuvp::test {

inline int64_t saturate32(int64_t value) {
  return value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : value;
}

/// One number that an operation has made.
struct Number {
  bool integer;
  int64_t i;
  float f;
  Number(int64_t value) : integer(true), i(value), f(0) {}  // NOLINT(google-explicit-constructor)
  Number(float value) : integer(false), i(0), f(value) {}   // NOLINT(google-explicit-constructor)
};

inline uint32_t bits_of_number(const npu_result& result, const Number& number) {
  return number.integer ? bits_of_integer(result, number.i) : bits_of_float(result, number.f);
}

inline float maximum(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return NAN;
  if (a == b) return std::signbit(a) ? b : a;
  return a > b ? a : b;
}
inline float minimum(float a, float b) {
  return -maximum(-a, -b);
}

inline Number apply_integers(unsigned operation, int64_t a, int64_t b, int64_t c) {
  switch (operation) {
    case NPU_OP_NEGATE:
      return saturate32(-a);
    case NPU_OP_ABSOLUTE:
      return saturate32(std::abs(a));
    case NPU_OP_SIGN:
      return int64_t{(a > 0) - (a < 0)};
    case NPU_OP_NOT:
      return ~a;
    case NPU_OP_ADD:
      return saturate32(a + b);
    case NPU_OP_SUBTRACT:
      return saturate32(a - b);
    case NPU_OP_MULTIPLY:
      return saturate32(a * b);
    case NPU_OP_DIVIDE:
      return b == 0 ? saturate32(a * 2147483648) : saturate32(a / b);
    case NPU_OP_MINIMUM:
      return std::min(a, b);
    case NPU_OP_MAXIMUM:
      return std::max(a, b);
    case NPU_OP_AND:
      return a & b;
    case NPU_OP_OR:
      return a | b;
    case NPU_OP_XOR:
      return a ^ b;
    case NPU_OP_EQUAL:
      return int64_t{a == b};
    case NPU_OP_NOT_EQUAL:
      return int64_t{a != b};
    case NPU_OP_LESS:
      return int64_t{a < b};
    case NPU_OP_LESS_EQUAL:
      return int64_t{a <= b};
    case NPU_OP_GREATER:
      return int64_t{a > b};
    case NPU_OP_GREATER_EQUAL:
      return int64_t{a >= b};
    case NPU_OP_MULTIPLY_ADD:
      return saturate32(a * b + c);
    case NPU_OP_CLAMP:
      return std::min(std::max(a, b), c);
    case NPU_OP_SELECT:
      return a != 0 ? b : c;
    default:
      return a;  // copy and roundings
  }
}

inline Number apply_floats(unsigned operation, float a, float b, float c) {
  static ExactFunctions exact;
  static std::unordered_map<uint64_t, uint32_t> known;
  switch (operation) {
    case NPU_OP_COPY:
      return a;
    case NPU_OP_NEGATE:
      return -a;
    case NPU_OP_ABSOLUTE:
      return std::fabs(a);
    case NPU_OP_SIGN:
      return std::isnan(a) || a == 0 ? a : std::copysign(1.0F, a);
    case NPU_OP_FLOOR:
      return std::floor(a);
    case NPU_OP_CEILING:
      return std::ceil(a);
    case NPU_OP_ROUND:
      return std::nearbyint(a);
    case NPU_OP_ADD:
      return a + b;
    case NPU_OP_SUBTRACT:
      return a - b;
    case NPU_OP_MULTIPLY:
      return a * b;
    case NPU_OP_DIVIDE:
      return a / b;
    case NPU_OP_MINIMUM:
      return minimum(a, b);
    case NPU_OP_MAXIMUM:
      return maximum(a, b);
    case NPU_OP_EQUAL:
      return int64_t{a == b};
    case NPU_OP_NOT_EQUAL:
      return int64_t{a != b};
    case NPU_OP_LESS:
      return int64_t{a < b};
    case NPU_OP_LESS_EQUAL:
      return int64_t{a <= b};
    case NPU_OP_GREATER:
      return int64_t{a > b};
    case NPU_OP_GREATER_EQUAL:
      return int64_t{a >= b};
    case NPU_OP_MULTIPLY_ADD:
      return std::fma(a, b, c);
    case NPU_OP_CLAMP:
      return minimum(maximum(a, b), c);
    case NPU_OP_SELECT:
      return a != 0 ? b : c;
    default: {
      const auto [place, fresh] = known.try_emplace(uint64_t{operation} << 32 | std::bit_cast<uint32_t>(a));
      if (fresh) place->second = exact(operation, a);
      return std::bit_cast<float>(place->second);
    }
  }
}

/// The operands' bits and types to the result's bits.
struct Typed {
  unsigned type;
  uint32_t bits;
  [[nodiscard]] float f() const { return float_of(type, bits); }
  [[nodiscard]] int64_t i() const { return integer_of(type, bits); }
};

inline uint32_t reference_element(const npu_elementwise& command, unsigned inputs, Typed a, Typed b, Typed c) {
  const npu_result& result = command.result;
  const unsigned operation = command.operation;
  if (operation == NPU_OP_QUANTIZE) {
    const float scaled = a.f() / b.f();
    const uint32_t whole = integer_bits(
        NPU_TYPE_INT32, std::isfinite(scaled) ? rounded(scaled, result.rounding) : scaled, NPU_SATURATE_INTEGERS);
    return bits_of_integer(result, saturate32(integer_of(NPU_TYPE_INT32, whole) + c.i()));
  }
  if (operation == NPU_OP_DEQUANTIZE)
    return bits_of_float(result, static_cast<float>(saturate32(a.i() - c.i())) * b.f());
  const bool function = operation >= NPU_OP_SQRT && operation <= NPU_OP_SILU;
  const bool integers =
      !function && integer_type(a.type) && (inputs < 2 || integer_type(b.type)) && (inputs < 3 || integer_type(c.type));
  if (integers)
    return bits_of_number(result, apply_integers(operation, a.i(), inputs < 2 ? 0 : b.i(), inputs < 3 ? 0 : c.i()));
  return bits_of_number(result, apply_floats(operation, a.f(), inputs < 2 ? 0 : b.f(), inputs < 3 ? 0 : c.f()));
}

}  // namespace npuvp::test
