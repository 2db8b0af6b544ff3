// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sw/compiler/card_network.h"

namespace npuvp::compiler {

/// What the compiler must know of a card.
struct Target {
  uint32_t neural_engines = 8;
  uint32_t scratchpad_bytes = 4u << 20;  ///< Of each engine.
  uint32_t shared_bytes = 32u << 20;
};

/// Operands of one layer as they lie in the constants, in shared memory and in a scratchpad: weights
/// [k][weight_stride], then bias [n], then scale [n] (those that exist); every part 64-byte aligned.
struct LayerBlock {
  uint32_t offset = 0;  ///< In the constants and in shared memory.
  uint32_t bytes = 0;
  uint32_t weight_stride = 0;  ///< Bytes.
  uint32_t bias_offset = 0;    ///< In the block.
  uint32_t scale_offset = 0;
};

/// Where everything lies. Offsets and strides in bytes.
///
/// A scratchpad holds the layers' blocks in `weight_slots` slots (layer l in slot l % count: all layers if they fit,
/// else as many as fit, at least one), two activation buffers that the layers use in turn, and the sums of one GEMM.
struct MemoryPlan {
  std::vector<LayerBlock> blocks;
  uint32_t constants_bytes = 0;

  uint32_t engine_rows = 0;               ///< Rows that one engine computes at most.
  std::vector<uint32_t> weight_slots;     ///< Offsets in the scratchpad.
  std::array<uint32_t, 2> activations{};  ///< Input of layer l in activations[l % 2].
  uint32_t sums = 0;
  std::vector<uint32_t> activation_strides;  ///< Of the input of layer l; the last entry is the network's output.
  std::vector<uint32_t> sum_strides;         ///< Of layer l.

  uint64_t workspace_output = 0;  ///< In the workspace; the inputs lie at 0.
  uint64_t workspace_bytes = 0;

  [[nodiscard]] uint32_t weight_slot(size_t layer) const { return weight_slots[layer % weight_slots.size()]; }
};

/// Plans for batches of up to `rows` rows. Errors: CompileError when a layer or the batch does not fit.
[[nodiscard]] MemoryPlan plan_memory(const CardNetwork& network, const Target& target, uint32_t rows);

}  // namespace npuvp::compiler
