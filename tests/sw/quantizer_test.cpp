// SPDX-License-Identifier: Apache-2.0
// Reference: the logits that PyTorch computed in FP32.
#include "sw/compiler/quantizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "sw/compiler/error.h"
#include "tests/sw/models.h"

namespace npuvp::compiler {
namespace {

Matrix first_rows(const Matrix& matrix, size_t rows) {
  return {
      rows, matrix.columns, {matrix.data.begin(), matrix.data.begin() + static_cast<ptrdiff_t>(rows * matrix.columns)}};
}

size_t agreement(const Matrix& a, const Matrix& b) {
  const auto left = top1(a);
  const auto right = top1(b);
  size_t equal = 0;
  for (size_t i = 0; i < left.size(); ++i) {
    equal += left[i] == right[i] ? 1u : 0u;
  }
  return equal;
}

TEST(Fp32Evaluator, AgreesWithPytorch) {
  const Graph graph = test::fashion_graph();
  const Matrix logits = evaluate(graph, test::fashion_images())[graph.output];
  const Matrix expected = test::fashion_logits();
  ASSERT_EQ(logits.data.size(), expected.data.size());
  for (size_t i = 0; i < expected.data.size(); ++i) {
    ASSERT_NEAR(logits.data[i], expected.data[i], 1e-4) << i;
  }
}

TEST(Quantizer, Int8KeepsTop1OnAtLeast253Of256) {
  const Graph graph = test::fashion_graph();
  const Matrix images = test::fashion_images();
  for (const size_t calibration : {16u, 32u, 64u, 256u}) {
    const CardNetwork network = quantize_int8(graph, lower(graph), first_rows(images, calibration));
    const Matrix logits = run_card_arithmetic(network, network.encode(images), images.rows);
    EXPECT_GE(agreement(logits, test::fashion_logits()), 253u) << calibration << " calibration images";
  }
}

TEST(Quantizer, Fp16KeepsTop1OnAtLeast255Of256) {
  const CardNetwork network = convert_fp16(lower(test::fashion_graph()));
  const Matrix images = test::fashion_images();
  const Matrix logits = run_card_arithmetic(network, network.encode(images), images.rows);
  EXPECT_GE(agreement(logits, test::fashion_logits()), 255u);
}

TEST(Quantizer, Int8LogitsAreCloseToFp32) {
  const Graph graph = test::dense_chain({40, 30, 7});
  const Matrix inputs = test::noise_rows(64, 40);
  const CardNetwork network = quantize_int8(graph, lower(graph), inputs);
  const Matrix expected = evaluate(graph, inputs)[graph.output];
  const Matrix got = run_card_arithmetic(network, network.encode(inputs), inputs.rows);
  double error = 0;
  double power = 0;
  for (size_t i = 0; i < expected.data.size(); ++i) {
    error += std::pow(got.data[i] - expected.data[i], 2);
    power += std::pow(expected.data[i], 2);
  }
  EXPECT_LT(error / power, 0.001) << "below 30 dB";
  EXPECT_GT(error, 0) << "INT8 cannot be exact";
}

TEST(Quantizer, ChannelsOfZeroWeightsKeepTheirBias) {
  Graph graph = test::dense_chain({8, 2});
  auto& weight = std::get<std::vector<float>>(graph.values[graph.nodes[0].inputs[1]].constant);
  for (size_t i = 0; i < weight.size(); i += 2) {
    weight[i] = i == 0 ? 1e-38f : 0;
  }
  auto& bias = std::get<std::vector<float>>(graph.values[graph.nodes[0].inputs[2]].constant);
  bias[0] = 3.25f;
  const Matrix inputs = test::noise_rows(4, 8);
  const CardNetwork network = quantize_int8(graph, lower(graph), inputs);
  const Matrix got = run_card_arithmetic(network, network.encode(inputs), inputs.rows);
  for (size_t row = 0; row < got.rows; ++row) {
    EXPECT_NEAR(got.row(row)[0], 3.25f, 1e-3);
  }
}

TEST(Quantizer, BestScaleClipsOutliersAndSurvivesZeros) {
  std::vector<float> values(10000);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i % 100) / 100;
  }
  EXPECT_NEAR(best_int8_scale(values), 0.99f / 127, 0.02f / 127);
  values[0] = 1.6f;  // clipping one value costs less than coarser steps for all others
  EXPECT_LT(best_int8_scale(values) * 127, 1.6f);
  EXPECT_GT(best_int8_scale(std::vector<float>(4, 0.0f)), 0);
}

TEST(Quantizer, RefusesWhatItCannotRepresent) {
  Graph graph = test::dense_chain({4, 3});
  std::get<std::vector<float>>(graph.values[graph.nodes[0].inputs[1]].constant)[5] = 70000;
  EXPECT_THROW((void)convert_fp16(lower(graph)), CompileError);
  std::get<std::vector<float>>(graph.values[graph.nodes[0].inputs[1]].constant)[5] = 3e38f;
  Matrix inputs = test::noise_rows(2, 4);
  inputs.data.assign(inputs.data.size(), 100.0f);
  EXPECT_THROW((void)quantize_int8(graph, lower(graph), inputs), CompileError);
}

}  // namespace
}  // namespace npuvp::compiler
