// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "sw/compiler/card_network.h"
#include "sw/compiler/network.h"

namespace npuvp::compiler {

/// INT8, symmetric: weights with one scale per output channel, activations with one scale per tensor, chosen from what
/// the FP32 evaluator computes for the `calibration` inputs (at least one row): the input by its largest magnitude,
/// inner activations by the smallest mean squared error. Biases are INT32 in units of input scale * weight scale.
/// Errors: CompileError when calibration does not give finite numbers.
[[nodiscard]] CardNetwork quantize_int8(const Graph& graph, const Network& network, const Matrix& calibration);

/// FP16 weights and activations, FP32 biases. Errors: CompileError when a weight exceeds FP16's range.
[[nodiscard]] CardNetwork convert_fp16(const Network& network);

/// Scale of a symmetric INT8 quantisation of `values` (step of the integers): the candidate from 30 to 100 % of the
/// largest magnitude with the least mean squared error. 1/127 if all are 0. `values` are finite.
[[nodiscard]] float best_int8_scale(std::span<const float> values);

}  // namespace npuvp::compiler
