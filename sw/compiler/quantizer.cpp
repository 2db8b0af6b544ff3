// SPDX-License-Identifier: Apache-2.0
#include "sw/compiler/quantizer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "sw/compiler/arithmetic.h"
#include "sw/compiler/error.h"
#include "sw/compiler/half.h"

namespace npuvp::compiler {
namespace {

constexpr float kInt8Steps = 127;

float largest_magnitude(std::span<const float> values) {
  float largest = 0;
  for (const float value : values) {
    largest = std::max(largest, std::fabs(value));
  }
  return largest;
}

/// Step of the integers; never 0 or subnormal, so that divisions by it stay finite.
float scale_for(float magnitude) {
  return magnitude > 0 ? std::max(magnitude / kInt8Steps, std::numeric_limits<float>::min()) : 1 / kInt8Steps;
}

int8_t quantize(float value, float scale) {
  return std::max<int8_t>(float_to_int8(value / scale), -127);
}

void require_finite(const Network& network, const DenseLayer& layer, const Matrix& activations) {
  if (!std::all_of(activations.data.begin(), activations.data.end(), [](float x) { return std::isfinite(x); })) {
    throw CompileError(network.source, layer.name, "calibration",
                       "activations are not finite; check the input's range and the weights");
  }
}

/// `output_scale` is 1 for the last layer, whose outputs are real numbers.
CardLayer quantize_layer(const DenseLayer& layer, float input_scale, float output_scale) {
  CardLayer result{
      .name = layer.name, .k = layer.k, .n = layer.n, .weight = {}, .bias = {}, .scale = {}, .relu = layer.relu};
  result.weight.resize(layer.weight.size());
  result.scale.resize(layer.n);
  if (!layer.bias.empty()) {
    result.bias.resize(layer.n);
  }
  std::vector<float> channel(layer.k);
  for (size_t column = 0; column < layer.n; ++column) {
    for (size_t i = 0; i < layer.k; ++i) {
      channel[i] = layer.weight[i * layer.n + column];
    }
    float weight_scale = scale_for(largest_magnitude(channel));
    if (!layer.bias.empty()) {
      // A channel of tiny weights gets coarser steps so that its bias stays far from the limits of INT32.
      constexpr float kLargestBias = 1 << 30;
      weight_scale = std::max(weight_scale, std::fabs(layer.bias[column]) / kLargestBias / input_scale);
      const float bias = layer.bias[column] / input_scale / weight_scale;
      result.bias[column] = static_cast<uint32_t>(float_to_int32(bias));
    }
    for (size_t i = 0; i < layer.k; ++i) {
      result.weight[i * layer.n + column] = static_cast<std::byte>(quantize(channel[i], weight_scale));
    }
    result.scale[column] = input_scale * weight_scale / output_scale;
  }
  return result;
}

}  // namespace

float best_int8_scale(std::span<const float> values) {
  constexpr int kLeastPercent = 30;
  const float largest = largest_magnitude(values);
  float best = scale_for(largest);
  double least_error = std::numeric_limits<double>::infinity();
  for (int percent = 100; percent >= kLeastPercent; percent -= 2) {
    const float scale = scale_for(largest * static_cast<float>(percent) / 100);
    double error = 0;
    for (const float value : values) {
      const double difference = static_cast<double>(value) - static_cast<double>(quantize(value, scale)) * scale;
      error += difference * difference;
    }
    if (error < least_error) {
      least_error = error;
      best = scale;
    }
  }
  return best;
}

CardNetwork quantize_int8(const Graph& graph, const Network& network, const Matrix& calibration) {
  if (calibration.rows == 0) {
    throw std::logic_error("quantize_int8: no calibration inputs");
  }
  const std::vector<Matrix> values = evaluate(graph, calibration);
  require_finite(network, network.layers.front(), values[graph.input]);
  CardNetwork result{.source = network.source, .precision = Precision::kInt8, .input_scale = 1, .layers = {}};
  result.input_scale = scale_for(largest_magnitude(values[graph.input].data));
  float input_scale = result.input_scale;
  for (const DenseLayer& layer : network.layers) {
    const Matrix& outputs = values[layer.output];
    require_finite(network, layer, outputs);
    const bool last = &layer == &network.layers.back();
    const float output_scale = last ? 1 : best_int8_scale(outputs.data);
    result.layers.push_back(quantize_layer(layer, input_scale, output_scale));
    input_scale = output_scale;
  }
  return result;
}

CardNetwork convert_fp16(const Network& network) {
  constexpr uint16_t kInfinity = 0x7c00;
  CardNetwork result{.source = network.source, .precision = Precision::kFp16, .input_scale = 1, .layers = {}};
  for (const DenseLayer& layer : network.layers) {
    CardLayer converted{
        .name = layer.name, .k = layer.k, .n = layer.n, .weight = {}, .bias = {}, .scale = {}, .relu = layer.relu};
    converted.weight.resize(layer.weight.size() * sizeof(uint16_t));
    for (size_t i = 0; i < layer.weight.size(); ++i) {
      const uint16_t half = float_to_half(layer.weight[i]);
      if ((half & 0x7fff) == kInfinity) {
        throw CompileError(network.source, layer.name, "Gemm", "a weight exceeds the range of FP16; use int8");
      }
      std::memcpy(&converted.weight[i * sizeof half], &half, sizeof half);
    }
    for (const float bias : layer.bias) {
      converted.bias.push_back(std::bit_cast<uint32_t>(bias));
    }
    result.layers.push_back(std::move(converted));
  }
  return result;
}

}  // namespace npuvp::compiler
