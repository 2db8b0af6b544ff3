// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "firmware/abi/command.h"
#include "firmware/abi/element.h"

namespace npuvp::arithmetic {

// The arithmetic of GEMM and VECTOR commands as README.md defines it, at host speed (SIMD chosen at run time) and with
// the same bits on every host. Callers have checked the command: shapes, types and that operands are disjoint.
// Little-endian memory; operands need no alignment.

/// C[m,n] = (accumulate ? C : 0) + A[m,k] * B[k,n]. A and B INT8 and C INT32, or A and B FP16 or BF16 and C FP32.
struct GemmOperands {
  const uint8_t* a;
  const uint8_t* b;
  uint8_t* c;
  size_t m, n, k;                       ///< Elements, at least 1.
  size_t a_stride, b_stride, c_stride;  ///< Bytes from row to row.
  bool accumulate;
};

void gemm_int8(const GemmOperands& gemm);
void gemm_fp16(const GemmOperands& gemm);
void gemm_bf16(const GemmOperands& gemm);

/// A whole GEMM command: all types, stored transposed or not, all matrices of a batch.
void gemm(const npu_gemm& command, const uint8_t* a, const uint8_t* b, uint8_t* c);

/// A whole CONVOLUTION command.
void convolution(const npu_convolution& command, const uint8_t* in, const uint8_t* weights, uint8_t* out);

/// OUT[m,n] = convert(scale[n] * relu(IN[m,n] + bias[n])), each stage only if `flags` names it.
/// `out` may equal `in` if element sizes and strides are equal.
struct VectorOperands {
  const uint8_t* in;
  uint8_t* out;
  const uint8_t* bias;           ///< Not read without NPU_VECTOR_BIAS.
  const uint8_t* scale;          ///< Not read without NPU_VECTOR_SCALE.
  size_t m, n;                   ///< Elements, at least 1.
  size_t in_stride, out_stride;  ///< Bytes from row to row.
  npu_type in_type, out_type;    ///< Any pair.
  uint32_t flags;                ///< NPU_VECTOR_*.
};

void vector_operation(const VectorOperands& vector);

/// Size of an element of a VECTOR command in bytes, 0 for a value that is no type of its.
[[nodiscard]] constexpr uint32_t element_bytes(uint32_t type) {
  const bool taken = type == NPU_TYPE_INT8 || type == NPU_TYPE_INT32 || type == NPU_TYPE_FP16 || type == NPU_TYPE_FP32;
  return taken ? npu_type_bits(type) / 8 : 0;
}

}  // namespace npuvp::arithmetic
