// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace npuvp::compiler {

/// The operators of this compiler; everything else is refused when a model is read.
enum class Op : uint8_t { kAdd, kFlatten, kGemm, kIdentity, kMatMul, kRelu, kReshape };

/// ONNX name of the operator.
[[nodiscard]] std::string_view to_string(Op op);

using Shape = std::vector<int64_t>;
using ValueId = uint32_t;

/// A tensor: the graph's input, a constant or what a node computes.
struct Value {
  std::string name;
  Shape shape;  ///< Every dimension at least 1. Of a node's output: set by infer_shapes().
  /// Contents of a constant, C order; monostate for what is computed.
  std::variant<std::monostate, std::vector<float>, std::vector<int64_t>> constant;

  [[nodiscard]] bool is_constant() const { return constant.index() != 0; }
  [[nodiscard]] const std::vector<float>* floats() const { return std::get_if<std::vector<float>>(&constant); }
};

/// An operation, attributes as in ONNX with their defaults filled in.
struct Node {
  Op op;
  std::string name;
  std::vector<ValueId> inputs;
  ValueId output;
  float alpha = 1, beta = 1;         ///< Gemm
  int64_t trans_a = 0, trans_b = 0;  ///< Gemm
  int64_t axis = 1;                  ///< Flatten
};

/// A network with one input and one output whose first dimension is the batch. Nodes stand in an order in which they
/// can be executed; every id is valid.
struct Graph {
  std::string source;  ///< File it was read from, for messages.
  std::vector<Value> values;
  std::vector<Node> nodes;
  ValueId input = 0;
  ValueId output = 0;

  [[nodiscard]] int64_t batch() const { return values[input].shape[0]; }
};

/// Product of the dimensions; they are bounded by the reader, so it cannot overflow.
[[nodiscard]] int64_t element_count(const Shape& shape);
/// "[16,784]"
[[nodiscard]] std::string shape_text(const Shape& shape);

/// Computes the shape of every node's output and checks that the operator allows its inputs and attributes: activations
/// keep the batch as first dimension, weights are constant. Errors: CompileError naming the node.
void infer_shapes(Graph& graph);

}  // namespace npuvp::compiler
