// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sw/compiler/graph.h"

namespace npuvp::compiler {

/// OUT[rows,n] = relu?(IN[rows,k] * weight[k,n] + bias[n]), in real numbers.
struct DenseLayer {
  std::string name;           ///< Of the matrix product's node.
  uint32_t k = 0;             ///< Inputs.
  uint32_t n = 0;             ///< Outputs.
  std::vector<float> weight;  ///< [k][n]
  std::vector<float> bias;    ///< [n], or empty
  bool relu = false;
  ValueId input = 0;  ///< Where its input and output stand in the graph, for calibration.
  ValueId output = 0;
};

/// A graph lowered to what the card's engines do: a chain of dense layers.
struct Network {
  std::string source;
  Shape row_shape;  ///< Of one input, without the batch.
  std::vector<DenseLayer> layers;
};

/// Fuses bias and ReLU into the matrix products and removes what does not move data. Errors: CompileError when the
/// graph is not such a chain.
[[nodiscard]] Network lower(const Graph& graph);

}  // namespace npuvp::compiler
