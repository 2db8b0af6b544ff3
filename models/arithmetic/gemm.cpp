// SPDX-License-Identifier: Apache-2.0
// Brings the operands of GEMM commands into the forms that the kernels take: rows of INT8, FP16 or BF16.
#include "models/arithmetic/kernel_operand.h"
#include "models/arithmetic/vector_unit.h"

namespace npuvp::arithmetic {

void gemm(const npu_gemm& command, const uint8_t* a, const uint8_t* b, uint8_t* c) {
  const bool a_transposed = (command.flags & NPU_GEMM_TRANSPOSE_A) != 0;
  const bool b_transposed = (command.flags & NPU_GEMM_TRANSPOSE_B) != 0;
  KernelOperand a_rows(command.type, command.m, command.k, a_transposed);
  KernelOperand b_rows(command.type, command.k, command.n, b_transposed);
  for (size_t matrix = 0; matrix < std::max(command.batch, 1u); ++matrix) {
    a_rows.take(a + matrix * command.a_batch_stride, command.a_stride);
    b_rows.take(b + matrix * command.b_batch_stride, command.b_stride);
    multiply_rows(command.type, {.a = a_rows.data(),
                                 .b = b_rows.data(),
                                 .c = c + matrix * command.c_batch_stride,
                                 .m = command.m,
                                 .n = command.n,
                                 .k = command.k,
                                 .a_stride = a_rows.stride(),
                                 .b_stride = b_rows.stride(),
                                 .c_stride = command.c_stride,
                                 .accumulate = command.accumulate != 0});
  }
}

uint32_t kernel_type(uint32_t type) {
  switch (type) {
    case NPU_TYPE_INT4:
      return NPU_TYPE_INT8;
    case NPU_TYPE_FP8_E4M3:
    case NPU_TYPE_FP8_E5M2:
      return NPU_TYPE_FP16;
    default:
      return type;
  }
}

void multiply_rows(uint32_t type, const GemmOperands& operands) {
  switch (kernel_type(type)) {
    case NPU_TYPE_INT8:
      return gemm_int8(operands);
    case NPU_TYPE_BF16:
      return gemm_bf16(operands);
    default:
      return gemm_fp16(operands);
  }
}

void widen_row(uint32_t type, const uint8_t* row, size_t elements, uint8_t* out) {
  switch (type) {
    case NPU_TYPE_INT4:
      for (size_t i = 0; i < elements; ++i) out[i] = static_cast<uint8_t>(int4_to_int32(row[i / 2], i % 2 != 0));
      return;
    case NPU_TYPE_FP8_E4M3:
      for (size_t i = 0; i < elements; ++i) {
        const uint16_t half = fp8_e4m3_to_fp16(row[i]);
        std::memcpy(out + 2 * i, &half, 2);
      }
      return;
    case NPU_TYPE_FP8_E5M2:
      for (size_t i = 0; i < elements; ++i) {
        const uint16_t half = fp8_e5m2_to_fp16(row[i]);
        std::memcpy(out + 2 * i, &half, 2);
      }
      return;
    default:
      std::memcpy(out, row, row_bytes(type, elements));
  }
}

KernelOperand::KernelOperand(uint32_t type, size_t rows, size_t columns, bool transposed)
    : type_(type), rows_(rows), columns_(columns), transposed_(transposed) {}

void KernelOperand::take(const uint8_t* data, size_t stride) {
  if (kernel_type(type_) == type_ && !transposed_) {
    data_ = data;
    stride_ = stride;
    return;
  }
  const size_t element = row_bytes(kernel_type(type_), 1);
  const size_t stored_rows = transposed_ ? columns_ : rows_;
  const size_t stored_columns = transposed_ ? rows_ : columns_;
  const size_t stored_stride = stored_columns * element;
  const uint8_t* source = data;
  size_t source_stride = stride;
  if (kernel_type(type_) != type_) {
    widened_.resize(stored_rows * stored_stride);
    for (size_t row = 0; row < stored_rows; ++row) {
      widen_row(type_, data + row * stride, stored_columns, widened_.data() + row * stored_stride);
    }
    source = widened_.data();
    source_stride = stored_stride;
  }
  data_ = source;
  stride_ = source_stride;
  if (!transposed_) return;
  rows_bytes_.resize(rows_ * columns_ * element);
  npu_transpose command{};
  command.planes = 1;
  command.rows = static_cast<uint32_t>(stored_rows);
  command.columns = static_cast<uint32_t>(stored_columns);
  command.in.row_stride = static_cast<uint32_t>(source_stride);
  command.out.row_stride = static_cast<uint32_t>(columns_ * element);
  command.type = static_cast<uint8_t>(kernel_type(type_));
  transpose(command, rows_bytes_.data(), source);
  data_ = rows_bytes_.data();
  stride_ = columns_ * element;
}

}  // namespace npuvp::arithmetic
