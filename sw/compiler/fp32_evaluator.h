// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "sw/compiler/graph.h"

namespace npuvp::compiler {

/// Activations of `rows` inputs; each row is one input's tensor, flat.
struct Matrix {
  size_t rows = 0;
  size_t columns = 0;
  std::vector<float> data;  ///< [rows][columns]

  [[nodiscard]] std::span<const float> row(size_t i) const { return std::span(data).subspan(i * columns, columns); }
};

/// Executes the graph as ONNX defines it, in FP32 and independent of the card: every sum from 0 in the order of k, bias
/// last. `input` may have any number of rows, whatever the model's batch is; its columns are the elements of one input.
/// Returns the activations of every value, indexed by ValueId (empty for constants).
[[nodiscard]] std::vector<Matrix> evaluate(const Graph& graph, const Matrix& input);

/// Column of the largest element of each row; the first of equal ones.
[[nodiscard]] std::vector<size_t> top1(const Matrix& logits);

}  // namespace npuvp::compiler
