// SPDX-License-Identifier: Apache-2.0
#include "sw/compiler/card_network.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "sw/compiler/arithmetic.h"
#include "sw/compiler/half.h"

namespace npuvp::compiler {
namespace {

/// Sums of one GEMM as the bits of INT32 or FP32, [rows][n].
std::vector<uint32_t> gemm_int8(const CardLayer& layer, std::span<const std::byte> input, size_t rows) {
  std::vector<uint32_t> result(rows * layer.n);
  std::vector<int32_t> sums(layer.n);
  for (size_t row = 0; row < rows; ++row) {
    std::fill(sums.begin(), sums.end(), 0);
    for (size_t i = 0; i < layer.k; ++i) {
      const auto a = static_cast<int8_t>(input[row * layer.k + i]);
      for (size_t column = 0; column < layer.n; ++column) {
        sums[column] = gemm_step_int8(sums[column], a, static_cast<int8_t>(layer.weight[i * layer.n + column]));
      }
    }
    std::memcpy(&result[row * layer.n], sums.data(), sums.size() * sizeof(int32_t));
  }
  return result;
}

std::vector<float> widen(std::span<const std::byte> halves) {
  std::vector<float> result(halves.size() / sizeof(uint16_t));
  for (size_t i = 0; i < result.size(); ++i) {
    uint16_t half;
    std::memcpy(&half, &halves[i * sizeof half], sizeof half);
    result[i] = half_to_float(half);
  }
  return result;
}

std::vector<uint32_t> gemm_fp16(const CardLayer& layer, std::span<const std::byte> input, size_t rows) {
  const std::vector<float> a = widen(input);
  const std::vector<float> b = widen(layer.weight);
  std::vector<uint32_t> result(rows * layer.n);
  std::vector<float> sums(layer.n);
  for (size_t row = 0; row < rows; ++row) {
    std::fill(sums.begin(), sums.end(), 0.0f);
    for (size_t i = 0; i < layer.k; ++i) {
      for (size_t column = 0; column < layer.n; ++column) {
        sums[column] = gemm_step_fp16(sums[column], a[row * layer.k + i], b[i * layer.n + column]);
      }
    }
    std::memcpy(&result[row * layer.n], sums.data(), sums.size() * sizeof(float));
  }
  return result;
}

/// VECTOR over [rows][n] sums; outputs packed without padding.
std::vector<std::byte> vector_stage(const CardLayer& layer, std::span<const uint32_t> sums, uint8_t in_type,
                                    uint8_t out_type) {
  const size_t bytes = element_bytes(out_type);
  std::vector<std::byte> result(sums.size() * bytes);
  for (size_t i = 0; i < sums.size(); ++i) {
    const size_t column = i % layer.n;
    const uint32_t bits =
        vector_element(sums[i], in_type, layer.bias.empty() ? 0 : layer.bias[column],
                       layer.scale.empty() ? 1.0f : layer.scale[column], layer.vector_flags(), out_type);
    std::memcpy(&result[i * bytes], &bits, bytes);  // little-endian host
  }
  return result;
}

}  // namespace

uint8_t CardLayer::vector_flags() const {
  return static_cast<uint8_t>((bias.empty() ? 0u : NPU_VECTOR_BIAS) | (relu ? NPU_VECTOR_RELU : 0u) |
                              (scale.empty() ? 0u : NPU_VECTOR_SCALE));
}

std::vector<std::byte> CardNetwork::encode(const Matrix& input) const {
  std::vector<std::byte> result(input.data.size() * value_bytes(precision));
  for (size_t i = 0; i < input.data.size(); ++i) {
    if (precision == Precision::kInt8) {
      const int8_t value = std::max<int8_t>(float_to_int8(input.data[i] / input_scale), -127);
      result[i] = static_cast<std::byte>(value);
    } else {
      const uint16_t value = float_to_half(input.data[i]);
      std::memcpy(&result[i * sizeof value], &value, sizeof value);
    }
  }
  return result;
}

Matrix run_card_arithmetic(const CardNetwork& network, std::span<const std::byte> encoded, size_t rows) {
  static_assert(std::endian::native == std::endian::little, "card data is little-endian");
  const bool int8 = network.precision == Precision::kInt8;
  if (encoded.size() != rows * network.input_columns() * value_bytes(network.precision)) {
    throw std::logic_error("run_card_arithmetic: input does not have the network's shape");
  }
  std::vector<std::byte> values(encoded.begin(), encoded.end());
  for (const CardLayer& layer : network.layers) {
    const bool last = &layer == &network.layers.back();
    const std::vector<uint32_t> sums = int8 ? gemm_int8(layer, values, rows) : gemm_fp16(layer, values, rows);
    const uint8_t out_type = last ? NPU_TYPE_FP32 : (int8 ? NPU_TYPE_INT8 : NPU_TYPE_FP16);
    values = vector_stage(layer, sums, int8 ? NPU_TYPE_INT32 : NPU_TYPE_FP32, out_type);
  }
  Matrix result{rows, network.output_columns(), std::vector<float>(rows * network.output_columns())};
  std::memcpy(result.data.data(), values.data(), values.size());
  return result;
}

}  // namespace npuvp::compiler
