// SPDX-License-Identifier: Apache-2.0
#include "sw/compiler/fp32_evaluator.h"

#include <algorithm>
#include <stdexcept>

namespace npuvp::compiler {
namespace {

Matrix multiply(const Matrix& a, const Value& weight, bool transposed) {
  const std::vector<float>& b = *weight.floats();
  const auto n = static_cast<size_t>(weight.shape[transposed ? 0 : 1]);
  const size_t k = a.columns;
  Matrix result{a.rows, n, std::vector<float>(a.rows * n)};
  for (size_t row = 0; row < a.rows; ++row) {
    const float* const x = &a.data[row * k];
    float* const sums = &result.data[row * n];
    if (transposed) {
      for (size_t column = 0; column < n; ++column) {
        for (size_t i = 0; i < k; ++i) {
          sums[column] += x[i] * b[column * k + i];
        }
      }
    } else {
      for (size_t i = 0; i < k; ++i) {
        for (size_t column = 0; column < n; ++column) {
          sums[column] += x[i] * b[i * n + column];
        }
      }
    }
  }
  return result;
}

void add_row(Matrix& matrix, const std::vector<float>& row) {
  for (size_t i = 0; i < matrix.data.size(); ++i) {
    matrix.data[i] += row[i % matrix.columns];
  }
}

Matrix execute(const Graph& graph, const Node& node, const std::vector<Matrix>& values) {
  const Matrix& input = values[node.inputs[0]];
  switch (node.op) {
    case Op::kFlatten:
    case Op::kIdentity:
    case Op::kReshape:
      return input;
    case Op::kGemm:
    case Op::kMatMul: {
      Matrix result = multiply(input, graph.values[node.inputs[1]], node.trans_b != 0);
      if (node.inputs.size() == 3) {
        add_row(result, *graph.values[node.inputs[2]].floats());
      }
      return result;
    }
    case Op::kAdd: {
      Matrix result = input;
      add_row(result, *graph.values[node.inputs[1]].floats());
      return result;
    }
    case Op::kRelu: {
      Matrix result = input;
      std::transform(result.data.begin(), result.data.end(), result.data.begin(),
                     [](float x) { return x < 0 ? 0 : x; });
      return result;
    }
  }
  throw std::logic_error("evaluate: unknown operator");
}

}  // namespace

std::vector<Matrix> evaluate(const Graph& graph, const Matrix& input) {
  const auto columns = static_cast<size_t>(element_count(graph.values[graph.input].shape) / graph.batch());
  if (input.columns != columns || input.data.size() != input.rows * columns) {
    throw std::logic_error("evaluate: input does not have the model's shape");
  }
  std::vector<Matrix> values(graph.values.size());
  values[graph.input] = input;
  for (const Node& node : graph.nodes) {
    values[node.output] = execute(graph, node, values);
  }
  return values;
}

std::vector<size_t> top1(const Matrix& logits) {
  std::vector<size_t> result;
  for (size_t i = 0; i < logits.rows; ++i) {
    const auto row = logits.row(i);
    result.push_back(static_cast<size_t>(std::max_element(row.begin(), row.end()) - row.begin()));
  }
  return result;
}

}  // namespace npuvp::compiler
