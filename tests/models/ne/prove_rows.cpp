// SPDX-License-Identifier: Apache-2.0
// Instructions over rows, by loops written from models/arithmetic/README.md.
#include <numeric>

#include "tests/models/ne/exact_bench.h"

namespace npuvp::test {
namespace {

/// The order of sums: 16 lanes in turn, then halves.
template <class Step, class Join>
float in_lanes(const std::vector<float>& values, Step step, Join join) {
  std::vector<float> lanes(16, 0.0F);
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
float add_square(float sum, float x) {
  return sum + x * x;
}
float sum_of(const std::vector<float>& values) {
  return in_lanes(values, plus, plus);
}
float squares_of(const std::vector<float>& values) {
  return in_lanes(values, add_square, plus);
}
int64_t wrapped(int64_t value) {
  return static_cast<int32_t>(static_cast<uint32_t>(value));
}
float exactly(unsigned function, float value) {
  return apply_floats(function, value, 0, 0).f;
}

uint32_t reduced_integers(const npu_reduce& command, const std::vector<uint32_t>& elements) {
  int64_t total = command.operation == NPU_REDUCE_MAXIMUM   ? INT32_MIN
                  : command.operation == NPU_REDUCE_MINIMUM ? INT32_MAX
                                                            : 0;
  for (const uint32_t bits : elements) {
    const int64_t x = integer_of(command.in_type, bits);
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
  return bits_of_integer(command.result, total);
}

uint32_t reduced(const npu_reduce& command, const std::vector<uint32_t>& elements) {
  if (integer_type(command.in_type)) return reduced_integers(command, elements);
  std::vector<float> values;
  for (const uint32_t bits : elements) values.push_back(float_of(command.in_type, bits));
  const bool lanes = command.axis == NPU_AXIS_COLUMNS;
  const auto in_order = [&](float start, auto step) {
    return std::accumulate(values.begin(), values.end(), start, step);
  };
  switch (command.operation) {
    case NPU_REDUCE_SUM:
      return bits_of_float(command.result, lanes ? sum_of(values) : in_order(0, plus));
    case NPU_REDUCE_SUM_OF_SQUARES:
      return bits_of_float(command.result, lanes ? squares_of(values) : in_order(0, add_square));
    case NPU_REDUCE_MAXIMUM:
      return bits_of_float(command.result, in_order(-INFINITY, maximum));
    default:
      return bits_of_float(command.result, in_order(INFINITY, minimum));
  }
}

bool stop() {
  return testing::Test::HasFatalFailure();
}

/// Mostly numbers whose sums stay finite, then any bits, then edges.
Mix mix_of(unsigned trial) {
  return trial % 4 == 0 ? Mix::kBits : trial % 8 == 1 ? Mix::kEdges : Mix::kOrdinary;
}

/// Rows of 1 to 40 elements, now and then long ones.
uint32_t row_length(Session& session, unsigned trial) {
  return session.size(trial % 16 == 5 ? 3000 : 40);
}

std::vector<float> numbers_of(Session& session, const Tensor& tensor, uint32_t plane, uint32_t row) {
  std::vector<float> values;
  for (uint32_t column = 0; column < tensor.columns; ++column) {
    values.push_back(tensor.number(session.memory(), plane, row, column));
  }
  return values;
}

uint64_t reduce_once(Session& session, const Form& form, npu_axis axis, unsigned trial) {
  npu_command command = test::command(NPU_NE_REDUCE);
  npu_reduce& c = command.u.reduce;
  const bool columns = axis == NPU_AXIS_COLUMNS;
  c.planes = 2;
  c.columns = columns ? row_length(session, trial) : session.size(4000);
  c.rows = columns ? std::min(1000u, 20'000 / c.columns) : session.size(9);
  c.operation = form.operation;
  c.axis = static_cast<uint8_t>(axis);
  c.in_type = form.type;
  c.result = session.any_result(!columns);
  session.start();
  const Tensor in = session.place(form.type, c.planes, c.rows, c.columns, mix_of(trial));
  const Tensor out = session.place(c.result.type, c.planes, columns ? c.rows : 1, columns ? 1 : c.columns, Mix::kBits);
  c.in = in.place;
  c.out = out.place;
  Bytes& expected = session.expect();
  std::vector<uint32_t> elements;
  for (uint32_t plane = 0; plane < c.planes; ++plane) {
    for (uint32_t i = 0; i < (columns ? c.rows : c.columns); ++i) {
      elements.clear();
      for (uint32_t j = 0; j < (columns ? c.columns : c.rows); ++j) {
        elements.push_back(columns ? in.get(session.memory(), plane, i, j) : in.get(session.memory(), plane, j, i));
      }
      out.set(expected, plane, columns ? i : 0, columns ? 0 : i, reduced(c, elements));
    }
  }
  session.run(command);
  return uint64_t{c.planes} * (columns ? c.rows : c.columns);
}

uint64_t softmax_once(Session& session, const Form& form, unsigned trial) {
  npu_command command = test::command(NPU_NE_SOFTMAX);
  npu_softmax& c = command.u.softmax;
  c.planes = 2;
  c.columns = row_length(session, trial);
  c.rows = std::max(1u, 2000 / c.columns);
  c.in_type = form.type;
  constexpr float kScales[] = {1.0F, 0.125F, -1.0F, 3.0e-39F, 1.0e38F};  // one subnormal
  c.scale = std::bit_cast<uint32_t>(kScales[trial % 3 == 0 ? trial % 5 : trial % 2]);
  c.result = session.any_result();
  session.start();
  const Tensor in = session.place(form.type, c.planes, c.rows, c.columns, mix_of(trial));
  const Tensor out = session.place(c.result.type, c.planes, c.rows, c.columns, Mix::kBits);
  c.in = in.place;
  c.out = out.place;
  Bytes& expected = session.expect();
  for (uint32_t line = 0; line < c.planes * c.rows; ++line) {
    const uint32_t plane = line / c.rows;
    std::vector<float> x = numbers_of(session, in, plane, line % c.rows);
    for (float& value : x) value = value * std::bit_cast<float>(c.scale);
    const float largest = std::accumulate(x.begin(), x.end(), -INFINITY, maximum);
    for (float& value : x) value = exactly(NPU_OP_EXP, value - largest);
    const float sum = sum_of(x);
    for (uint32_t column = 0; column < c.columns; ++column) {
      out.set(expected, plane, line % c.rows, column, bits_of_float(c.result, x[column] / sum));
    }
  }
  session.run(command);
  return uint64_t{c.planes} * c.rows * c.columns;
}

uint64_t normalize_once(Session& session, const Form& form, unsigned trial) {
  npu_command command = test::command(NPU_NE_NORMALIZE);
  npu_normalize& c = command.u.normalize;
  c.planes = 1;
  c.columns = row_length(session, trial);
  c.rows = std::max(1u, 2000 / c.columns);
  c.in_type = form.type;
  c.flags = static_cast<uint8_t>(session.random() % 8);
  constexpr float kEpsilons[] = {1e-5F, 0.0F, 1e-12F, 1e-40F};
  c.epsilon = std::bit_cast<uint32_t>(kEpsilons[session.random() % 4]);
  c.result = session.any_result();
  session.start();
  const Tensor in = session.place(form.type, 1, c.rows, c.columns, mix_of(trial));
  const Tensor out = session.place(c.result.type, 1, c.rows, c.columns, Mix::kBits);
  const Tensor gamma = session.place(NPU_TYPE_FP32, 1, 1, c.columns, mix_of(trial));
  const Tensor beta = session.place(NPU_TYPE_FP32, 1, 1, c.columns, mix_of(trial));
  c.in = in.place;
  c.out = out.place;
  c.gamma = gamma.place.offset;
  c.beta = beta.place.offset;
  Bytes& expected = session.expect();
  const auto count = static_cast<float>(c.columns);
  for (uint32_t row = 0; row < c.rows; ++row) {
    std::vector<float> x = numbers_of(session, in, 0, row);
    if ((c.flags & NPU_NORMALIZE_RMS) == 0) {
      const float mean = sum_of(x) / count;
      for (float& value : x) value = value - mean;
    }
    const float factor = exactly(NPU_OP_RSQRT, squares_of(x) / count + std::bit_cast<float>(c.epsilon));
    for (uint32_t column = 0; column < c.columns; ++column) {
      float value = x[column] * factor;
      if ((c.flags & NPU_NORMALIZE_GAMMA) != 0) value = value * gamma.number(session.memory(), 0, 0, column);
      if ((c.flags & NPU_NORMALIZE_BETA) != 0) value = value + beta.number(session.memory(), 0, 0, column);
      out.set(expected, 0, row, column, bits_of_float(c.result, value));
    }
  }
  session.run(command);
  return uint64_t{c.rows} * c.columns;
}

uint64_t rotary_once(Session& session, const Form& form, unsigned trial) {
  npu_command command = test::command(NPU_NE_ROTARY);
  npu_rotary& c = command.u.rotary;
  c.planes = 2;
  c.columns = 2 * session.size(100);
  c.rows = std::max(1u, 3000 / c.columns);
  c.in_type = form.type;
  c.flags = static_cast<uint8_t>(session.random() % 2);
  c.result = session.any_result();
  session.start();
  const uint32_t pairs = c.columns / 2;
  const Tensor in = session.place(form.type, c.planes, c.rows, c.columns, mix_of(trial));
  const Tensor out = session.place(c.result.type, c.planes, c.rows, c.columns, Mix::kBits);
  Tensor cosine = session.place(NPU_TYPE_FP32, c.planes, c.rows, pairs, mix_of(trial));
  Tensor sine = session.place(NPU_TYPE_FP32, c.planes, c.rows, pairs, mix_of(trial));
  if (trial % 2 == 0) cosine.place.plane_stride = sine.place.plane_stride = 0;  // the same angles for each head
  c.in = in.place;
  c.out = out.place;
  c.cosine = cosine.place;
  c.sine = sine.place;
  Bytes& expected = session.expect();
  const Bytes& memory = session.memory();
  for (uint32_t line = 0; line < c.planes * c.rows; ++line) {
    const uint32_t plane = line / c.rows;
    const uint32_t row = line % c.rows;
    for (uint32_t pair = 0; pair < pairs; ++pair) {
      const uint32_t first = c.flags != 0 ? 2 * pair : pair;
      const uint32_t second = c.flags != 0 ? 2 * pair + 1 : pair + pairs;
      const float x = in.number(memory, plane, row, first);
      const float y = in.number(memory, plane, row, second);
      const float cos = cosine.number(memory, plane, row, pair);
      const float sin = sine.number(memory, plane, row, pair);
      out.set(expected, plane, row, first, bits_of_float(c.result, x * cos - y * sin));
      out.set(expected, plane, row, second, bits_of_float(c.result, y * cos + x * sin));
    }
  }
  session.run(command);
  return uint64_t{c.planes} * c.rows * c.columns;
}

}  // namespace

uint64_t prove_reduce(Session& session, const Form& form) {
  uint64_t least = UINT64_MAX;
  for (const npu_axis axis : {NPU_AXIS_COLUMNS, NPU_AXIS_ROWS}) {
    uint64_t cases = 0;
    for (unsigned trial = 0; cases < kCases && !stop(); ++trial) cases += reduce_once(session, form, axis, trial);
    least = std::min(least, cases);
  }
  return least;
}

uint64_t prove_softmax(Session& session, const Form& form) {
  uint64_t cases = 0;
  for (unsigned trial = 0; cases < kCases && !stop(); ++trial) cases += softmax_once(session, form, trial);
  return cases;
}

uint64_t prove_normalize(Session& session, const Form& form) {
  uint64_t cases = 0;
  for (unsigned trial = 0; cases < kCases && !stop(); ++trial) cases += normalize_once(session, form, trial);
  return cases;
}

uint64_t prove_rotary(Session& session, const Form& form) {
  uint64_t cases = 0;
  for (unsigned trial = 0; cases < kCases && !stop(); ++trial) cases += rotary_once(session, form, trial);
  return cases;
}

}  // namespace npuvp::test
