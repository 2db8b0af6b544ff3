// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sw/compiler/fp32_evaluator.h"

namespace npuvp::compiler {

/// Number format of weights and activations on the card.
enum class Precision : uint8_t { kInt8, kFp16 };

[[nodiscard]] constexpr const char* to_string(Precision precision) {
  return precision == Precision::kInt8 ? "int8" : "fp16";
}

/// Bytes of one weight or activation.
[[nodiscard]] constexpr uint32_t value_bytes(Precision precision) {
  return precision == Precision::kInt8 ? 1 : 2;
}

/// A dense layer in the card's numbers: GEMM, then VECTOR with these operands. The last layer's outputs are FP32, those
/// of the others have the network's precision.
struct CardLayer {
  std::string name;
  uint32_t k = 0;
  uint32_t n = 0;
  std::vector<std::byte> weight;  ///< [k][n] INT8 or FP16
  std::vector<uint32_t> bias;     ///< [n] bits of INT32 (INT8 network) or FP32; or empty
  std::vector<float> scale;       ///< [n]; empty in an FP16 network
  bool relu = false;

  [[nodiscard]] uint8_t vector_flags() const;  ///< NPU_VECTOR_*
};

/// A network in the card's numbers, not yet laid out for a card.
struct CardNetwork {
  std::string source;
  Precision precision = Precision::kInt8;
  float input_scale = 1;  ///< INT8: real value of one step of the input.
  std::vector<CardLayer> layers;

  [[nodiscard]] uint32_t input_columns() const { return layers.front().k; }
  [[nodiscard]] uint32_t output_columns() const { return layers.back().n; }

  /// Inputs in the card's numbers, [rows][input_columns] without padding: INT8 round(x / input_scale) held at +-127, or
  /// FP16.
  [[nodiscard]] std::vector<std::byte> encode(const Matrix& input) const;
};

/// What the card must compute for encoded inputs, by its written arithmetic (arithmetic.h) in plain scalar loops.
/// Returns [rows][output_columns].
[[nodiscard]] Matrix run_card_arithmetic(const CardNetwork& network, std::span<const std::byte> encoded, size_t rows);

}  // namespace npuvp::compiler
