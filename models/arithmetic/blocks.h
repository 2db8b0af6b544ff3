// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "firmware/abi/command.h"

namespace npuvp::arithmetic {

// Loops of the vector unit over consecutive elements, each compiled for every instruction set. Elements of any format
// become FP32 or INT32, are computed as such and become elements of any format again.

/// Elements that one pass works on: a few arrays of them fit the L1 cache. Even, so that INT4 passes begin with a byte.
inline constexpr size_t kBlock = 1024;

[[nodiscard]] constexpr bool is_integer(uint32_t type) {
  return type == NPU_TYPE_INT8 || type == NPU_TYPE_INT32 || type == NPU_TYPE_INT4;
}

/// Elements [first, first + count) of a row; `first` is even. Integers become FP32 rounded to nearest even.
void load_block(npu_type type, const uint8_t* row, size_t first, size_t count, float* out);
/// Integer types only.
void load_block(npu_type type, const uint8_t* row, size_t first, size_t count, int32_t* out);

/// Converts and stores; leaves the other half of a byte that INT4 fills in half.
void store_block(const npu_result& result, const float* in, size_t first, size_t count, uint8_t* row);
void store_block(const npu_result& result, const int32_t* in, size_t first, size_t count, uint8_t* row);

/// NPU_OP_SQRT to NPU_OP_SILU, correctly rounded. `out` may be `in`.
void function_block(npu_elementwise_operation operation, const float* in, float* out, size_t count);

/// The operations of one to three operands but the functions and those with results of another kind.
void operation_block(npu_elementwise_operation operation, const float* a, const float* b, const float* c, float* out,
                     size_t count);
void operation_block(npu_elementwise_operation operation, const int32_t* a, const int32_t* b, const int32_t* c,
                     int32_t* out, size_t count);
/// NPU_OP_EQUAL to NPU_OP_GREATER_EQUAL: 1 or 0.
void comparison_block(npu_elementwise_operation operation, const float* a, const float* b, int32_t* out, size_t count);
void comparison_block(npu_elementwise_operation operation, const int32_t* a, const int32_t* b, int32_t* out,
                      size_t count);
/// round(a / b) + c and (a - c) * b.
void quantize_block(const float* a, const float* b, const int32_t* c, npu_rounding rounding, int32_t* out,
                    size_t count);
void dequantize_block(const int32_t* a, const float* b, const int32_t* c, float* out, size_t count);

/// One row to one number, in the order that README.md gives.
float reduce_block(npu_reduction operation, const float* in, size_t count);
int32_t reduce_block(npu_reduction operation, const int32_t* in, size_t count);
/// sums[i] = sums[i] combined with in[i].
void reduce_into(npu_reduction operation, const float* in, float* sums, size_t count);
void reduce_into(npu_reduction operation, const int32_t* in, int32_t* sums, size_t count);

// Steps of softmax and normalization over a row.
/// out[i] = exp(in[i] - offset).
void exp_minus(const float* in, float offset, float* out, size_t count);
/// out[i] = in[i] * factor, in[i] - offset, in[i] / divisor.
void multiply_by(const float* in, float factor, float* out, size_t count);
void subtract(const float* in, float offset, float* out, size_t count);
void divide_by(const float* in, float divisor, float* out, size_t count);

/// first[i], second[i] = a[i] cos[i] - b[i] sin[i], b[i] cos[i] + a[i] sin[i].
void rotate_block(const float* a, const float* b, const float* cosine, const float* sine, float* first, float* second,
                  size_t count);

}  // namespace npuvp::arithmetic
