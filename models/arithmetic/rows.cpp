// SPDX-License-Identifier: Apache-2.0
// Instructions that work on whole rows: reductions, softmax, normalization, rotary embedding.
#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "models/arithmetic/blocks.h"
#include "models/arithmetic/vector_unit.h"

namespace npuvp::arithmetic {
namespace {

template <class Pointer>
Pointer row_of(Pointer data, const npu_operand& operand, size_t plane, size_t row) {
  return data + plane * operand.plane_stride + row * operand.row_stride;
}

template <class T>
void load_row(uint8_t type, const uint8_t* row, std::vector<T>& values) {
  load_block(static_cast<npu_type>(type), row, 0, values.size(), values.data());
}

template <class T>
void reduce_columns(const npu_reduce& command, uint8_t* out, const uint8_t* in) {
  const auto operation = static_cast<npu_reduction>(command.operation);
  std::vector<T> values(command.columns);
  for (size_t plane = 0; plane < command.planes; ++plane) {
    for (size_t row = 0; row < command.rows; ++row) {
      load_row(command.in_type, row_of(in, command.in, plane, row), values);
      const T result = reduce_block(operation, values.data(), values.size());
      store_block(command.result, &result, 0, 1, row_of(out, command.out, plane, row));
    }
  }
}

template <class T>
void reduce_rows(const npu_reduce& command, uint8_t* out, const uint8_t* in) {
  const auto operation = static_cast<npu_reduction>(command.operation);
  const T start = reduce_block(operation, static_cast<const T*>(nullptr), 0);
  std::vector<T> values(command.columns);
  std::vector<T> sums(command.columns);
  for (size_t plane = 0; plane < command.planes; ++plane) {
    std::fill(sums.begin(), sums.end(), start);
    for (size_t row = 0; row < command.rows; ++row) {
      load_row(command.in_type, row_of(in, command.in, plane, row), values);
      reduce_into(operation, values.data(), sums.data(), sums.size());
    }
    store_block(command.result, sums.data(), 0, sums.size(), row_of(out, command.out, plane, 0));
  }
}

}  // namespace

void reduce(const npu_reduce& command, uint8_t* out, const uint8_t* in) {
  const bool columns = command.axis == NPU_AXIS_COLUMNS;
  if (is_integer(command.in_type)) {
    columns ? reduce_columns<int32_t>(command, out, in) : reduce_rows<int32_t>(command, out, in);
  } else {
    columns ? reduce_columns<float>(command, out, in) : reduce_rows<float>(command, out, in);
  }
}

void softmax(const npu_softmax& command, uint8_t* out, const uint8_t* in) {
  std::vector<float> values(command.columns);
  for (size_t plane = 0; plane < command.planes; ++plane) {
    for (size_t row = 0; row < command.rows; ++row) {
      load_row(command.in_type, row_of(in, command.in, plane, row), values);
      multiply_by(values.data(), std::bit_cast<float>(command.scale), values.data(), values.size());
      const float largest = reduce_block(NPU_REDUCE_MAXIMUM, values.data(), values.size());
      exp_minus(values.data(), largest, values.data(), values.size());
      const float sum = reduce_block(NPU_REDUCE_SUM, values.data(), values.size());
      divide_by(values.data(), sum, values.data(), values.size());
      store_block(command.result, values.data(), 0, values.size(), row_of(out, command.out, plane, row));
    }
  }
}

void normalize(const npu_normalize& command, uint8_t* out, const uint8_t* in, const uint8_t* gamma,
               const uint8_t* beta) {
  const auto count = static_cast<float>(command.columns);
  const bool mean_too = (command.flags & NPU_NORMALIZE_RMS) == 0;
  std::vector<float> values(command.columns);
  std::vector<float> factors(command.columns);
  std::vector<float> offsets(command.columns);
  const bool has_gamma = (command.flags & NPU_NORMALIZE_GAMMA) != 0;
  const bool has_beta = (command.flags & NPU_NORMALIZE_BETA) != 0;
  if (has_gamma) load_row(NPU_TYPE_FP32, gamma, factors);
  if (has_beta) load_row(NPU_TYPE_FP32, beta, offsets);
  for (size_t plane = 0; plane < command.planes; ++plane) {
    for (size_t row = 0; row < command.rows; ++row) {
      load_row(command.in_type, row_of(in, command.in, plane, row), values);
      float* const x = values.data();
      if (mean_too) subtract(x, reduce_block(NPU_REDUCE_SUM, x, values.size()) / count, x, values.size());
      const float square = reduce_block(NPU_REDUCE_SUM_OF_SQUARES, x, values.size()) / count;
      float factor = square + std::bit_cast<float>(command.epsilon);
      function_block(NPU_OP_RSQRT, &factor, &factor, 1);
      multiply_by(x, factor, x, values.size());
      if (has_gamma) operation_block(NPU_OP_MULTIPLY, x, factors.data(), x, x, values.size());
      if (has_beta) operation_block(NPU_OP_ADD, x, offsets.data(), x, x, values.size());
      store_block(command.result, x, 0, values.size(), row_of(out, command.out, plane, row));
    }
  }
}

void rotary(const npu_rotary& command, uint8_t* out, const uint8_t* in, const uint8_t* cosine, const uint8_t* sine) {
  const size_t pairs = command.columns / 2;
  const bool interleaved = (command.flags & NPU_ROTARY_INTERLEAVED) != 0;
  std::vector<float> values(command.columns);
  std::vector<float> cosines(pairs);
  std::vector<float> sines(pairs);
  std::vector<float> first(pairs);
  std::vector<float> second(pairs);
  const auto place = [&](size_t pair, size_t half) { return interleaved ? 2 * pair + half : pair + half * pairs; };
  for (size_t plane = 0; plane < command.planes; ++plane) {
    for (size_t row = 0; row < command.rows; ++row) {
      load_row(command.in_type, row_of(in, command.in, plane, row), values);
      load_row(NPU_TYPE_FP32, row_of(cosine, command.cosine, plane, row), cosines);
      load_row(NPU_TYPE_FP32, row_of(sine, command.sine, plane, row), sines);
      for (size_t pair = 0; pair < pairs; ++pair) {
        first[pair] = values[place(pair, 0)];
        second[pair] = values[place(pair, 1)];
      }
      rotate_block(first.data(), second.data(), cosines.data(), sines.data(), first.data(), second.data(), pairs);
      for (size_t pair = 0; pair < pairs; ++pair) {
        values[place(pair, 0)] = first[pair];
        values[place(pair, 1)] = second[pair];
      }
      store_block(command.result, values.data(), 0, values.size(), row_of(out, command.out, plane, row));
    }
  }
}

}  // namespace npuvp::arithmetic
