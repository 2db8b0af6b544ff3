// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "firmware/abi/element.h"

namespace npuvp::compiler {

/// The card's arithmetic, one scalar at a time, as models/arithmetic/README.md writes it down: the reference that
/// outputs of the card are compared with bit for bit. Values travel as bits in the low bytes of a uint32_t.

/// Bytes of one element of a type that fills whole bytes, else 0.
[[nodiscard]] constexpr size_t element_bytes(uint8_t type) {
  return npu_type_bits(type) / 8;
}

/// INT8 GEMM: one step of the exact sum, modulo 2^32.
[[nodiscard]] constexpr int32_t gemm_step_int8(int32_t sum, int8_t a, int8_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(sum) + static_cast<uint32_t>(static_cast<int32_t>(a) * b));
}

/// FP16 GEMM: sum = fma(a, b, sum) in FP32, round to nearest even; a and b are FP16 values widened to FP32, whose
/// product is exact, so multiplying first rounds once as well. Subnormals are kept.
[[nodiscard]] inline float gemm_step_fp16(float sum, float a, float b) {
  return sum + a * b;
}

/// INT32 sum, held at the type's limits.
[[nodiscard]] int32_t saturating_add(int32_t a, int32_t b);
/// Round to nearest even, hold at the limits, NaN becomes 0.
[[nodiscard]] int32_t float_to_int32(float value);
[[nodiscard]] int8_t float_to_int8(float value);

/// One element through VECTOR: bias, ReLU, scale, convert; each of the first three if its NPU_VECTOR_* flag is set.
/// `bias` holds the bits of an INT32 for integer input (INT8 widens), of an FP32 otherwise. INT32 to FP16 goes through
/// FP32. Types must be valid.
[[nodiscard]] uint32_t vector_element(uint32_t in, uint8_t in_type, uint32_t bias, float scale, uint8_t flags,
                                      uint8_t out_type);

}  // namespace npuvp::compiler
