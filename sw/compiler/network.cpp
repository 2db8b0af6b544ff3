// SPDX-License-Identifier: Apache-2.0
#include "sw/compiler/network.h"

#include <stdexcept>

#include "sw/compiler/error.h"

namespace npuvp::compiler {
namespace {

constexpr int64_t kMaxDimension = 65535;  // struct npu_gemm

/// Follows the chain from the graph's input; `current_` is the value that the layers so far compute.
class Lowering {
 public:
  explicit Lowering(const Graph& graph) : graph_(graph), current_(graph.input) {
    network_.source = graph.source;
    const Shape& input = graph.values[graph.input].shape;
    network_.row_shape.assign(input.begin() + 1, input.end());
  }

  Network run() {
    for (const Node& node : graph_.nodes) {
      if (node.inputs[0] != current_) {
        fail(node, "branches are not supported; the graph must be a chain");
      }
      lower(node);
      current_ = node.output;
      if (!network_.layers.empty()) {
        network_.layers.back().output = current_;
      }
    }
    if (network_.layers.empty() || current_ != graph_.output) {
      throw CompileError(graph_.source, "the graph is not a chain from its input through Gemm or MatMul to its output");
    }
    return std::move(network_);
  }

 private:
  [[noreturn]] void fail(const Node& node, const std::string& what) const {
    throw CompileError(graph_.source, node.name, to_string(node.op), what);
  }

  void lower(const Node& node) {
    switch (node.op) {
      case Op::kFlatten:
      case Op::kIdentity:
      case Op::kReshape:
        break;
      case Op::kGemm:
      case Op::kMatMul:
        add_layer(node);
        break;
      case Op::kAdd:
        fuse_bias(node);
        break;
      case Op::kRelu:
        if (network_.layers.empty()) {
          fail(node, "must follow Gemm or MatMul");
        }
        network_.layers.back().relu = true;
        break;
    }
  }

  void add_layer(const Node& node) {
    const Value& weight = graph_.values[node.inputs[1]];
    const bool transposed = node.trans_b != 0;
    const int64_t k = weight.shape[transposed ? 1 : 0];
    const int64_t n = weight.shape[transposed ? 0 : 1];
    if (k > kMaxDimension || n > kMaxDimension) {
      fail(node, "weights " + shape_text(weight.shape) + " exceed the engine's limit of " +
                     std::to_string(kMaxDimension) + " a dimension");
    }
    DenseLayer layer;
    layer.name = node.name;
    layer.k = static_cast<uint32_t>(k);
    layer.n = static_cast<uint32_t>(n);
    layer.input = current_;
    layer.weight = transposed ? transpose(*weight.floats(), layer.k, layer.n) : *weight.floats();
    if (node.inputs.size() == 3) {
      layer.bias = *graph_.values[node.inputs[2]].floats();
    }
    network_.layers.push_back(std::move(layer));
  }

  /// [n][k] -> [k][n]
  static std::vector<float> transpose(const std::vector<float>& weight, size_t k, size_t n) {
    std::vector<float> result(weight.size());
    for (size_t row = 0; row < n; ++row) {
      for (size_t column = 0; column < k; ++column) {
        result[column * n + row] = weight[row * k + column];
      }
    }
    return result;
  }

  void fuse_bias(const Node& node) {
    if (network_.layers.empty() || network_.layers.back().relu || !network_.layers.back().bias.empty()) {
      fail(node, "a constant can be added only directly after MatMul or a Gemm without bias");
    }
    network_.layers.back().bias = *graph_.values[node.inputs[1]].floats();
  }

  const Graph& graph_;
  Network network_;
  ValueId current_;
};

}  // namespace

Network lower(const Graph& graph) {
  return Lowering(graph).run();
}

}  // namespace npuvp::compiler
