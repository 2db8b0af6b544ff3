// SPDX-License-Identifier: Apache-2.0
// Networks and inputs that several tests use.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "sw/compiler/card_network.h"
#include "sw/compiler/graph.h"
#include "sw/compiler/npy.h"
#include "sw/compiler/onnx_reader.h"

namespace npuvp::test {

/// Path of a file of data/fashion.
inline std::string fashion(const std::string& name) {
  return std::string(NPUVP_DATA_DIR) + "/fashion/" + name;
}

inline compiler::Matrix fashion_images() {
  compiler::Matrix images{256, 784, compiler::NpyArray::read(fashion("images.npy")).to_floats()};
  for (float& pixel : images.data) {
    pixel /= 255;
  }
  return images;
}

inline compiler::Matrix fashion_logits() {
  return {256, 10, compiler::NpyArray::read(fashion("fashion_mlp_logits.npy")).to_floats()};
}

inline compiler::Graph fashion_graph() {
  return compiler::read_onnx(fashion("fashion_mlp_b16.onnx"));
}

/// Numbers in [-1, 1), the same for the same seed on every machine.
class Noise {
 public:
  explicit Noise(uint64_t seed) : state_(seed * 2 + 1) {}
  float operator()() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<float>(static_cast<int64_t>(state_) >> 40) / 8388608.0f;
  }

 private:
  uint64_t state_;
};

/// A chain of Gemm (transB=0) with bias, ReLU between them, of these sizes, e.g. {17, 5, 3}, and noise as weights.
inline compiler::Graph dense_chain(const std::vector<int64_t>& sizes, uint64_t seed = 1) {
  using compiler::ValueId;
  Noise noise(seed);
  compiler::Graph graph;
  graph.source = "chain.onnx";
  const auto add = [&](compiler::Value value) {
    graph.values.push_back(std::move(value));
    return static_cast<ValueId>(graph.values.size() - 1);
  };
  const auto constant = [&](compiler::Shape shape) {
    std::vector<float> values(static_cast<size_t>(compiler::element_count(shape)));
    for (float& value : values) {
      value = noise();
    }
    return add({.name = "w", .shape = std::move(shape), .constant = std::move(values)});
  };
  graph.input = add({.name = "in", .shape = {1, sizes[0]}, .constant = {}});
  ValueId current = graph.input;
  for (size_t i = 0; i + 1 < sizes.size(); ++i) {
    if (i > 0) {
      const ValueId rectified = add({.name = "relu", .shape = {}, .constant = {}});
      graph.nodes.push_back({.op = compiler::Op::kRelu, .name = "relu", .inputs = {current}, .output = rectified});
      current = rectified;
    }
    const ValueId weight = constant({sizes[i], sizes[i + 1]});
    const ValueId bias = constant({sizes[i + 1]});
    const ValueId sum = add({.name = "sum", .shape = {}, .constant = {}});
    graph.nodes.push_back({.op = compiler::Op::kGemm,
                           .name = "fc" + std::to_string(i),
                           .inputs = {current, weight, bias},
                           .output = sum});
    current = sum;
  }
  graph.output = current;
  compiler::infer_shapes(graph);
  return graph;
}

inline compiler::Matrix noise_rows(size_t rows, size_t columns, uint64_t seed = 7) {
  Noise noise(seed);
  compiler::Matrix matrix{rows, columns, std::vector<float>(rows * columns)};
  for (float& value : matrix.data) {
    value = noise();
  }
  return matrix;
}

}  // namespace npuvp::test
