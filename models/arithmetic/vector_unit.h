// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "firmware/abi/command.h"
#include "firmware/abi/element.h"

namespace npuvp::arithmetic {

// The vector and transpose units' instructions of firmware/abi/command.h as README.md defines them. Shapes, types and
// strides come from the command, which callers have checked; the pointers stand for its byte offsets. An output may be
// an input of the same type at the same place with the same strides, otherwise they are disjoint.

/// Operands that the operation does not have and immediates are not read.
struct ElementwiseOperands {
  uint8_t* out;
  const uint8_t* a;
  const uint8_t* b;
  const uint8_t* c;
};
void elementwise(const npu_elementwise& command, const ElementwiseOperands& operands);

void reduce(const npu_reduce& command, uint8_t* out, const uint8_t* in);
void softmax(const npu_softmax& command, uint8_t* out, const uint8_t* in);
/// gamma and beta are not read without their flag.
void normalize(const npu_normalize& command, uint8_t* out, const uint8_t* in, const uint8_t* gamma,
               const uint8_t* beta);
void rotary(const npu_rotary& command, uint8_t* out, const uint8_t* in, const uint8_t* cosine, const uint8_t* sine);

/// Row of the table that an index stands for; negative: none.
[[nodiscard]] int64_t table_row(int32_t index, uint32_t table_rows);
/// Every index must stand for a row.
void gather(const npu_gather& command, uint8_t* data, const uint8_t* table, const uint8_t* index);
void scatter(const npu_gather& command, const uint8_t* data, uint8_t* table, const uint8_t* index);

void top_k(const npu_top_k& command, const uint8_t* in, uint8_t* values, uint8_t* indices);
void transpose(const npu_transpose& command, uint8_t* out, const uint8_t* in);

/// Does the operation have that many operands; 0: no operation.
[[nodiscard]] unsigned operand_count(uint32_t operation);
/// Computed as integers if its operands are; otherwise the operands become FP32.
[[nodiscard]] bool has_integer_form(uint32_t operation);
/// Only for integer operands.
[[nodiscard]] bool is_bitwise(uint32_t operation);

/// Bytes of `elements` side by side, 0 for a value that is no type. INT4 fills whole bytes.
[[nodiscard]] constexpr uint64_t row_bytes(uint32_t type, uint64_t elements) {
  return (elements * npu_type_bits(type) + 7) / 8;
}

}  // namespace npuvp::arithmetic
