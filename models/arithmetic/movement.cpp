// SPDX-License-Identifier: Apache-2.0
// Instructions that move elements: gather, scatter, top-k, transpose.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

#include "models/arithmetic/blocks.h"
#include "models/arithmetic/vector_unit.h"

namespace npuvp::arithmetic {
namespace {

int32_t index_at(const uint8_t* index, size_t i) {
  int32_t value;
  std::memcpy(&value, index + 4 * i, 4);
  return value;
}

size_t row_number(const uint8_t* index, size_t i, const npu_gather& command) {
  return static_cast<size_t>(table_row(index_at(index, i), command.table_rows));
}

/// The bytes of a row; half a byte of INT4 at its end is not of the row.
void copy_row(uint8_t type, size_t columns, uint8_t* to, const uint8_t* from) {
  const bool half = type == NPU_TYPE_INT4 && columns % 2 != 0;
  const size_t bytes = row_bytes(type, columns) - (half ? 1 : 0);
  std::memcpy(to, from, bytes);
  if (half) to[bytes] = static_cast<uint8_t>((to[bytes] & 0xf0u) | (from[bytes] & 0x0fu));
}

npu_elementwise_operation operation_of(uint8_t mode) {
  return mode == NPU_SCATTER_ADD ? NPU_OP_ADD : mode == NPU_SCATTER_MAXIMUM ? NPU_OP_MAXIMUM : NPU_OP_MINIMUM;
}

template <class T>
void combine_rows(const npu_gather& command, const uint8_t* data, uint8_t* table, const uint8_t* index) {
  const auto type = static_cast<npu_type>(command.type);
  const npu_result result{command.type, NPU_ROUND_NEAREST_EVEN, NPU_SATURATE_INTEGERS, 0};
  std::vector<T> values(command.columns);
  std::vector<T> sums(command.columns);
  for (size_t i = 0; i < command.rows; ++i) {
    uint8_t* row = table + row_number(index, i, command) * command.table_stride;
    load_block(type, data + i * command.data_stride, 0, values.size(), values.data());
    load_block(type, row, 0, sums.size(), sums.data());
    operation_block(operation_of(command.mode), sums.data(), values.data(), sums.data(), sums.data(), sums.size());
    store_block(result, sums.data(), 0, sums.size(), row);
  }
}

/// NaN is above all numbers.
bool above(float a, float b) {
  return std::isnan(a) ? !std::isnan(b) : a > b;
}
bool above(int32_t a, int32_t b) {
  return a > b;
}

template <class T>
void top_k_rows(const npu_top_k& command, const uint8_t* in, uint8_t* values, uint8_t* indices) {
  const bool smallest = (command.flags & NPU_TOP_K_SMALLEST) != 0;
  const size_t element = row_bytes(command.type, 1);
  std::vector<T> row(command.columns);
  std::vector<uint32_t> order(command.columns);
  for (size_t m = 0; m < command.rows; ++m) {
    const uint8_t* from = in + m * command.in_stride;
    load_block(static_cast<npu_type>(command.type), from, 0, row.size(), row.data());
    std::iota(order.begin(), order.end(), 0u);
    std::partial_sort(order.begin(), order.begin() + command.k, order.end(), [&](uint32_t a, uint32_t b) {
      const bool before = smallest ? above(row[b], row[a]) : above(row[a], row[b]);
      const bool after = smallest ? above(row[a], row[b]) : above(row[b], row[a]);
      return before || (!after && a < b);
    });
    for (size_t i = 0; i < command.k; ++i) {
      std::memcpy(values + m * command.values_stride + i * element, from + order[i] * element, element);
    }
    std::memcpy(indices + m * command.indices_stride, order.data(), command.k * 4);
  }
}

/// In squares that stay in the L1 cache on both sides.
template <class T>
void transpose_plane(const npu_transpose& command, uint8_t* out, const uint8_t* in) {
  constexpr size_t kSide = 32;
  for (size_t row0 = 0; row0 < command.rows; row0 += kSide) {
    const size_t row_end = std::min<size_t>(row0 + kSide, command.rows);
    for (size_t column0 = 0; column0 < command.columns; column0 += kSide) {
      const size_t column_end = std::min<size_t>(column0 + kSide, command.columns);
      for (size_t column = column0; column < column_end; ++column) {
        for (size_t row = row0; row < row_end; ++row) {
          std::memcpy(out + column * command.out.row_stride + row * sizeof(T),
                      in + row * command.in.row_stride + column * sizeof(T), sizeof(T));
        }
      }
    }
  }
}

void transpose_int4(const npu_transpose& command, uint8_t* out, const uint8_t* in) {
  for (size_t column = 0; column < command.columns; ++column) {
    for (size_t row = 0; row < command.rows; ++row) {
      const uint8_t from = in[row * command.in.row_stride + column / 2];
      const unsigned nibble = (column % 2 != 0 ? from >> 4 : from) & 15u;
      uint8_t& to = out[column * command.out.row_stride + row / 2];
      to = static_cast<uint8_t>(row % 2 != 0 ? (to & 0x0fu) | (nibble << 4) : (to & 0xf0u) | nibble);
    }
  }
}

}  // namespace

int64_t table_row(int32_t index, uint32_t table_rows) {
  const int64_t row = index < 0 ? int64_t{index} + table_rows : int64_t{index};
  return row < 0 || row >= int64_t{table_rows} ? -1 : row;
}

void gather(const npu_gather& command, uint8_t* data, const uint8_t* table, const uint8_t* index) {
  for (size_t i = 0; i < command.rows; ++i) {
    const size_t row = row_number(index, i, command);
    copy_row(command.type, command.columns, data + i * command.data_stride, table + row * command.table_stride);
  }
}

void scatter(const npu_gather& command, const uint8_t* data, uint8_t* table, const uint8_t* index) {
  if (command.mode != NPU_SCATTER_STORE) {
    return is_integer(command.type) ? combine_rows<int32_t>(command, data, table, index)
                                    : combine_rows<float>(command, data, table, index);
  }
  for (size_t i = 0; i < command.rows; ++i) {
    const size_t row = row_number(index, i, command);
    copy_row(command.type, command.columns, table + row * command.table_stride, data + i * command.data_stride);
  }
}

void top_k(const npu_top_k& command, const uint8_t* in, uint8_t* values, uint8_t* indices) {
  is_integer(command.type) ? top_k_rows<int32_t>(command, in, values, indices)
                           : top_k_rows<float>(command, in, values, indices);
}

void transpose(const npu_transpose& command, uint8_t* out, const uint8_t* in) {
  for (size_t plane = 0; plane < command.planes; ++plane) {
    uint8_t* to = out + plane * command.out.plane_stride;
    const uint8_t* from = in + plane * command.in.plane_stride;
    switch (command.type) {
      case NPU_TYPE_INT4:
        transpose_int4(command, to, from);
        break;
      case NPU_TYPE_FP16:
      case NPU_TYPE_BF16:
        transpose_plane<uint16_t>(command, to, from);
        break;
      case NPU_TYPE_INT32:
      case NPU_TYPE_FP32:
        transpose_plane<uint32_t>(command, to, from);
        break;
      default:
        transpose_plane<uint8_t>(command, to, from);
    }
  }
}

}  // namespace npuvp::arithmetic
