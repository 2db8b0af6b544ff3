// SPDX-License-Identifier: Apache-2.0
// Instructions over rows and those that move elements, against loops written from models/arithmetic/README.md.
#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "models/arithmetic/vector_unit.h"
#include "tests/models/arithmetic/vector_reference.h"

namespace npuvp {
namespace {

using test::Bytes;

/// FP32 numbers of ordinary size in the type, now and then a special one.
uint32_t random_bits(unsigned type, std::mt19937& random) {
  const auto word = static_cast<uint32_t>(random());
  if (test::integer_type(type)) {
    return (type == NPU_TYPE_INT32 ? word >> (random() % 32) : word) &
           static_cast<uint32_t>((uint64_t{1} << test::bits_of(type)) - 1);
  }
  if (random() % 512 == 0) return word & static_cast<uint32_t>((uint64_t{1} << test::bits_of(type)) - 1);
  const npu_result nearest{static_cast<uint8_t>(type), 0, 0, 0};
  const uint32_t bits = (word & 0x807fffffu) | static_cast<uint32_t>((118 + random() % 12) << 23);
  return test::bits_of_float(nearest, std::bit_cast<float>(bits));
}

/// Planes x rows x columns with spare bytes between rows and planes.
struct Tensor {
  Tensor(unsigned element_type, uint32_t planes, uint32_t rows, uint32_t columns, std::mt19937& random)
      : type(element_type) {
    operand.row_stride = static_cast<uint32_t>(arithmetic::row_bytes(type, columns) + 3) / 4 * 4 + 8;
    operand.plane_stride = rows * operand.row_stride + 4;
    data.resize(size_t{planes} * operand.plane_stride);
    for (uint32_t plane = 0; plane < planes; ++plane) {
      for (uint32_t row = 0; row < rows; ++row) {
        for (uint32_t column = 0; column < columns; ++column) set(plane, row, column, random_bits(type, random));
      }
    }
  }
  [[nodiscard]] uint8_t* row_at(uint32_t plane, uint32_t row) {
    return data.data() + size_t{plane} * operand.plane_stride + size_t{row} * operand.row_stride;
  }
  uint32_t get(uint32_t plane, uint32_t row, uint32_t column) {
    return test::get_element(row_at(plane, row), type, column);
  }
  void set(uint32_t plane, uint32_t row, uint32_t column, uint32_t bits) {
    test::put_element(row_at(plane, row), type, column, bits);
  }
  float number(uint32_t plane, uint32_t row, uint32_t column) { return test::float_of(type, get(plane, row, column)); }

  unsigned type;
  npu_operand operand{};
  Bytes data;
};

/// The order of sums and maxima: 16 lanes in turn, then halves.
template <class T, class Step, class Join>
T in_lanes(const std::vector<T>& values, T start, Step step, Join join) {
  std::vector<T> lanes(16, start);
  for (size_t i = 0; i < values.size(); ++i) lanes[i % 16] = step(lanes[i % 16], values[i]);
  while (lanes.size() > 1) {
    const size_t half = lanes.size() / 2;
    for (size_t i = 0; i < half; ++i) lanes[i] = join(lanes[i], lanes[i + half]);
    lanes.resize(half);
  }
  return lanes[0];
}
float plus(float a, float b) {
  return a + b;
}
float sum_of(const std::vector<float>& values) {
  return in_lanes(values, 0.0F, plus, plus);
}
float squares_of(const std::vector<float>& values) {
  return in_lanes(
      values, 0.0F, [](float sum, float x) { return sum + x * x; }, plus);
}
int64_t wrapped(int64_t value) {
  return static_cast<int32_t>(static_cast<uint32_t>(value));
}

npu_result random_result(std::mt19937& random, bool int4 = true) {
  unsigned type = test::kAllTypes[random() % 8];
  if (!int4 && type == NPU_TYPE_INT4) type = NPU_TYPE_INT8;
  return {static_cast<uint8_t>(type), static_cast<uint8_t>(random() % 5), static_cast<uint8_t>(random() % 3), 0};
}

uint32_t reduced(const npu_reduce& command, const std::vector<uint32_t>& elements, bool lanes) {
  const auto type = command.in_type;
  if (test::integer_type(type)) {
    int64_t total = command.operation == NPU_REDUCE_MAXIMUM   ? INT32_MIN
                    : command.operation == NPU_REDUCE_MINIMUM ? INT32_MAX
                                                              : 0;
    for (const uint32_t bits : elements) {
      const int64_t x = test::integer_of(type, bits);
      switch (command.operation) {
        case NPU_REDUCE_SUM:
          total = wrapped(total + x);
          break;
        case NPU_REDUCE_SUM_OF_SQUARES:
          total = wrapped(total + wrapped(x * x));
          break;
        case NPU_REDUCE_MAXIMUM:
          total = std::max(total, x);
          break;
        default:
          total = std::min(total, x);
      }
    }
    return test::bits_of_integer(command.result, total);
  }
  std::vector<float> values;
  for (const uint32_t bits : elements) values.push_back(test::float_of(type, bits));
  const auto in_order = [&](float start, auto step) {
    return std::accumulate(values.begin(), values.end(), start, step);
  };
  float total = 0;
  switch (command.operation) {
    case NPU_REDUCE_SUM:
      total = lanes ? sum_of(values) : in_order(0, plus);
      break;
    case NPU_REDUCE_SUM_OF_SQUARES:
      total = lanes ? squares_of(values) : in_order(0, [](float sum, float x) { return sum + x * x; });
      break;
    case NPU_REDUCE_MAXIMUM:
      total = in_order(-INFINITY, test::maximum);
      break;
    default:
      total = in_order(INFINITY, test::minimum);
  }
  return test::bits_of_float(command.result, total);
}

TEST(Reduce, BothAxesAreExactForEveryTypeAndOperation) {
  std::mt19937 random(1);
  for (const unsigned type : test::kAllTypes) {
    for (uint8_t operation = NPU_REDUCE_SUM; operation <= NPU_REDUCE_MINIMUM; ++operation) {
      for (unsigned trial = 0; trial < 40; ++trial) {
        npu_reduce c{};
        c.planes = 2;
        c.rows = static_cast<uint32_t>(1 + random() % 9);
        c.columns = static_cast<uint32_t>(1 + random() % 300);
        c.operation = operation;
        c.axis = trial % 2;
        c.in_type = static_cast<uint8_t>(type);
        const bool columns = c.axis == NPU_AXIS_COLUMNS;
        c.result = random_result(random, !columns);
        Tensor in(type, c.planes, c.rows, c.columns, random);
        Tensor out(c.result.type, c.planes, columns ? c.rows : 1, columns ? 1 : c.columns, random);
        c.in = in.operand;
        c.out = out.operand;
        Tensor expected = out;
        for (uint32_t plane = 0; plane < c.planes; ++plane) {
          for (uint32_t i = 0; i < (columns ? c.rows : c.columns); ++i) {
            std::vector<uint32_t> elements;
            for (uint32_t j = 0; j < (columns ? c.columns : c.rows); ++j) {
              elements.push_back(columns ? in.get(plane, i, j) : in.get(plane, j, i));
            }
            expected.set(plane, columns ? i : 0, columns ? 0 : i, reduced(c, elements, columns));
          }
        }
        arithmetic::reduce(c, out.data.data(), in.data.data());
        ASSERT_EQ(out.data, expected.data) << "type " << type << " operation " << +operation << " axis " << +c.axis;
      }
    }
  }
}

std::vector<float> row_of(Tensor& tensor, uint32_t plane, uint32_t row, uint32_t columns) {
  std::vector<float> values;
  for (uint32_t column = 0; column < columns; ++column) values.push_back(tensor.number(plane, row, column));
  return values;
}

TEST(Softmax, IsExactForEveryType) {
  std::mt19937 random(2);
  test::ExactFunctions exact;
  for (const unsigned type : test::kAllTypes) {
    for (unsigned trial = 0; trial < 40; ++trial) {
      npu_softmax c{};
      c.planes = 2;
      c.rows = 3;
      c.columns = static_cast<uint32_t>(1 + random() % 200);
      c.in_type = static_cast<uint8_t>(type);
      c.scale = std::bit_cast<uint32_t>(trial % 2 == 0 ? 1.0F : 0.125F);
      c.result = random_result(random);
      Tensor in(type, 2, 3, c.columns, random);
      Tensor out(c.result.type, 2, 3, c.columns, random);
      c.in = in.operand;
      c.out = out.operand;
      Tensor expected = out;
      for (uint32_t line = 0; line < 6; ++line) {
        std::vector<float> x = row_of(in, line / 3, line % 3, c.columns);
        for (float& value : x) value = value * std::bit_cast<float>(c.scale);
        const float largest = std::accumulate(x.begin(), x.end(), -INFINITY, test::maximum);
        for (float& value : x) value = std::bit_cast<float>(exact(NPU_OP_EXP, value - largest));
        const float sum = sum_of(x);
        for (uint32_t column = 0; column < c.columns; ++column) {
          expected.set(line / 3, line % 3, column, test::bits_of_float(c.result, x[column] / sum));
        }
      }
      arithmetic::softmax(c, out.data.data(), in.data.data());
      ASSERT_EQ(out.data, expected.data) << "type " << type << " columns " << c.columns;
    }
  }
}

TEST(Normalize, IsExactForEveryTypeAndFlag) {
  std::mt19937 random(3);
  test::ExactFunctions exact;
  for (const unsigned type : test::kAllTypes) {
    for (unsigned trial = 0; trial < 64; ++trial) {
      npu_normalize c{};
      c.planes = 1;
      c.rows = 3;
      c.columns = static_cast<uint32_t>(1 + random() % 400);
      c.in_type = static_cast<uint8_t>(type);
      c.flags = trial % 8;
      c.epsilon = std::bit_cast<uint32_t>(1e-5F);
      c.result = random_result(random);
      Tensor in(type, 1, 3, c.columns, random);
      Tensor out(c.result.type, 1, 3, c.columns, random);
      Tensor gamma(NPU_TYPE_FP32, 1, 1, c.columns, random);
      Tensor beta(NPU_TYPE_FP32, 1, 1, c.columns, random);
      c.in = in.operand;
      c.out = out.operand;
      Tensor expected = out;
      const auto count = static_cast<float>(c.columns);
      for (uint32_t row = 0; row < 3; ++row) {
        std::vector<float> x = row_of(in, 0, row, c.columns);
        if ((c.flags & NPU_NORMALIZE_RMS) == 0) {
          const float mean = sum_of(x) / count;
          for (float& value : x) value = value - mean;
        }
        const float square = squares_of(x) / count;
        const float factor = std::bit_cast<float>(exact(NPU_OP_RSQRT, square + std::bit_cast<float>(c.epsilon)));
        for (uint32_t column = 0; column < c.columns; ++column) {
          float value = x[column] * factor;
          if ((c.flags & NPU_NORMALIZE_GAMMA) != 0) value = value * gamma.number(0, 0, column);
          if ((c.flags & NPU_NORMALIZE_BETA) != 0) value = value + beta.number(0, 0, column);
          expected.set(0, row, column, test::bits_of_float(c.result, value));
        }
      }
      arithmetic::normalize(c, out.data.data(), in.data.data(), gamma.data.data(), beta.data.data());
      ASSERT_EQ(out.data, expected.data) << "type " << type << " flags " << +c.flags;
    }
  }
}

TEST(Rotary, TurnsPairsOfBothLayouts) {
  std::mt19937 random(4);
  for (const unsigned type : test::kAllTypes) {
    for (unsigned trial = 0; trial < 40; ++trial) {
      npu_rotary c{};
      c.planes = 2;
      c.rows = 4;
      c.columns = static_cast<uint32_t>(2 + 2 * (random() % 100));
      c.in_type = static_cast<uint8_t>(type);
      c.flags = trial % 2;
      c.result = random_result(random);
      Tensor in(type, 2, 4, c.columns, random);
      Tensor out(c.result.type, 2, 4, c.columns, random);
      Tensor cosine(NPU_TYPE_FP32, 1, 4, c.columns / 2, random);
      Tensor sine(NPU_TYPE_FP32, 1, 4, c.columns / 2, random);
      c.in = in.operand;
      c.out = out.operand;
      c.cosine = cosine.operand;
      c.sine = sine.operand;
      c.cosine.plane_stride = c.sine.plane_stride = 0;  // the same angles for each head
      Tensor expected = out;
      for (uint32_t plane = 0; plane < 2; ++plane) {
        for (uint32_t row = 0; row < 4; ++row) {
          for (uint32_t pair = 0; pair < c.columns / 2; ++pair) {
            const uint32_t first = c.flags != 0 ? 2 * pair : pair;
            const uint32_t second = c.flags != 0 ? 2 * pair + 1 : pair + c.columns / 2;
            const float x = in.number(plane, row, first);
            const float y = in.number(plane, row, second);
            const float cos = cosine.number(0, row, pair);
            const float sin = sine.number(0, row, pair);
            expected.set(plane, row, first, test::bits_of_float(c.result, x * cos - y * sin));
            expected.set(plane, row, second, test::bits_of_float(c.result, y * cos + x * sin));
          }
        }
      }
      arithmetic::rotary(c, out.data.data(), in.data.data(), cosine.data.data(), sine.data.data());
      ASSERT_EQ(out.data, expected.data) << "type " << type;
    }
  }
}

TEST(GatherAndScatter, MoveRowsOfEveryTypeAndCombineThemInOrder) {
  std::mt19937 random(5);
  for (const unsigned type : test::kAllTypes) {
    for (unsigned trial = 0; trial < 50; ++trial) {
      npu_gather c{};
      c.rows = static_cast<uint32_t>(1 + random() % 20);
      c.columns = static_cast<uint32_t>(1 + random() % 150);
      c.table_rows = static_cast<uint32_t>(1 + random() % 12);  // rows meet often
      c.type = static_cast<uint8_t>(type);
      Tensor data(type, 1, c.rows, c.columns, random);
      Tensor table(type, 1, c.table_rows, c.columns, random);
      c.data_stride = data.operand.row_stride;
      c.table_stride = table.operand.row_stride;
      std::vector<int32_t> index(c.rows);
      for (auto& entry : index) {
        entry = static_cast<int32_t>(random() % (2 * c.table_rows)) - static_cast<int32_t>(c.table_rows);
      }
      const auto row_of_table = [&](uint32_t i) {
        return static_cast<uint32_t>(index[i] < 0 ? index[i] + static_cast<int32_t>(c.table_rows) : index[i]);
      };
      const auto* bytes = reinterpret_cast<const uint8_t*>(index.data());
      Tensor expected_data = data;
      for (uint32_t i = 0; i < c.rows; ++i) {
        for (uint32_t n = 0; n < c.columns; ++n) expected_data.set(0, i, n, table.get(0, row_of_table(i), n));
      }
      Tensor gathered = data;
      arithmetic::gather(c, gathered.data.data(), table.data.data(), bytes);
      ASSERT_EQ(gathered.data, expected_data.data) << "type " << type;

      c.mode = trial % 4;
      Tensor expected = table;
      const npu_result same{c.type, 0, 0, 0};
      const unsigned operations[] = {0, NPU_OP_ADD, NPU_OP_MAXIMUM, NPU_OP_MINIMUM};
      for (uint32_t i = 0; i < c.rows; ++i) {
        for (uint32_t n = 0; n < c.columns; ++n) {
          const test::Typed was{type, expected.get(0, row_of_table(i), n)};
          const test::Typed with{type, data.get(0, i, n)};
          uint32_t bits = with.bits;
          if (c.mode != NPU_SCATTER_STORE) {
            bits = test::bits_of_number(same, test::integer_type(type)
                                                  ? test::apply_integers(operations[c.mode], was.i(), with.i(), 0)
                                                  : test::apply_floats(operations[c.mode], was.f(), with.f(), 0));
          }
          expected.set(0, row_of_table(i), n, bits);
        }
      }
      arithmetic::scatter(c, data.data.data(), table.data.data(), bytes);
      ASSERT_EQ(table.data, expected.data) << "type " << type << " mode " << +c.mode;
    }
  }
}

TEST(TopK, OrdersByValueThenByColumnWithNanOnTop) {
  std::mt19937 random(6);
  for (const unsigned type : test::kAllTypes) {
    if (type == NPU_TYPE_INT4) continue;
    for (unsigned trial = 0; trial < 60; ++trial) {
      npu_top_k c{};
      c.rows = 3;
      c.columns = static_cast<uint32_t>(1 + random() % 120);
      c.k = static_cast<uint32_t>(1 + random() % c.columns);
      c.type = static_cast<uint8_t>(type);
      c.flags = trial % 2;
      Tensor in(type, 1, 3, c.columns, random);
      for (uint32_t n = 0; n < c.columns; n += 3) in.set(0, 0, n, in.get(0, 0, 0));  // many alike
      Tensor values(type, 1, 3, c.k, random);
      Tensor indices(NPU_TYPE_INT32, 1, 3, c.k, random);
      c.in_stride = in.operand.row_stride;
      c.values_stride = values.operand.row_stride;
      c.indices_stride = indices.operand.row_stride;
      Tensor expected_values = values;
      Tensor expected_indices = indices;
      for (uint32_t row = 0; row < 3; ++row) {
        std::vector<std::pair<long double, uint32_t>> order;
        for (uint32_t n = 0; n < c.columns; ++n) {
          const test::Typed element{type, in.get(0, row, n)};
          long double key = test::integer_type(type) ? static_cast<long double>(element.i()) : element.f();
          if (std::isnan(key)) key = 1e400L;  // above infinity is not needed: below, infinity becomes less
          if (std::isinf(key)) key = std::copysign(1e300L, key);
          order.emplace_back(c.flags != 0 ? key : -key, n);
        }
        std::sort(order.begin(), order.end());
        for (uint32_t i = 0; i < c.k; ++i) {
          expected_values.set(0, row, i, in.get(0, row, order[i].second));
          expected_indices.set(0, row, i, order[i].second);
        }
      }
      arithmetic::top_k(c, in.data.data(), values.data.data(), indices.data.data());
      ASSERT_EQ(values.data, expected_values.data) << "type " << type;
      ASSERT_EQ(indices.data, expected_indices.data) << "type " << type;
    }
  }
}

TEST(Transpose, ExchangesRowsAndColumnsOfEveryType) {
  std::mt19937 random(7);
  for (const unsigned type : test::kAllTypes) {
    for (unsigned trial = 0; trial < 30; ++trial) {
      npu_transpose c{};
      c.planes = 2;
      c.rows = static_cast<uint32_t>(1 + random() % 90);
      c.columns = static_cast<uint32_t>(1 + random() % 90);
      c.type = static_cast<uint8_t>(type);
      Tensor in(type, 2, c.rows, c.columns, random);
      Tensor out(type, 2, c.columns, c.rows, random);
      c.in = in.operand;
      c.out = out.operand;
      Tensor expected = out;
      for (uint32_t plane = 0; plane < 2; ++plane) {
        for (uint32_t row = 0; row < c.rows; ++row) {
          for (uint32_t n = 0; n < c.columns; ++n) expected.set(plane, n, row, in.get(plane, row, n));
        }
      }
      arithmetic::transpose(c, out.data.data(), in.data.data());
      ASSERT_EQ(out.data, expected.data) << "type " << type;
    }
  }
}

}  // namespace
}  // namespace npuvp
