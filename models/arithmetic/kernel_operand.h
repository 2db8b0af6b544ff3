// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "models/arithmetic/arithmetic.h"
#include "models/arithmetic/formats.h"

namespace npuvp::arithmetic {

/// The type that a GEMM kernel computes `type` with: INT4 as INT8, both FP8 as FP16. Both are exact.
[[nodiscard]] uint32_t kernel_type(uint32_t type);

/// The kernel of a type, operands in kernel_type().
void multiply_rows(uint32_t type, const GemmOperands& operands);

/// A row of elements in kernel_type().
void widen_row(uint32_t type, const uint8_t* row, size_t elements, uint8_t* out);

/// A matrix of rows x columns as a kernel wants it: itself where it is that already, else a copy.
class KernelOperand {
 public:
  /// `transposed`: it is stored as columns x rows.
  KernelOperand(uint32_t type, size_t rows, size_t columns, bool transposed);

  void take(const uint8_t* data, size_t stride);
  [[nodiscard]] const uint8_t* data() const { return data_; }
  [[nodiscard]] size_t stride() const { return stride_; }

 private:
  uint32_t type_;
  size_t rows_;
  size_t columns_;
  bool transposed_;
  const uint8_t* data_ = nullptr;
  size_t stride_ = 0;
  std::vector<uint8_t> widened_;
  std::vector<uint8_t> rows_bytes_;
};

}  // namespace npuvp::arithmetic
