// SPDX-License-Identifier: Apache-2.0
#include "sw/compiler/memory_plan.h"

#include <algorithm>
#include <string>

#include "sw/compiler/error.h"

namespace npuvp::compiler {
namespace {

constexpr uint64_t kOperandAlignment = 16;  // struct npu_gemm: a, b and their strides
constexpr uint64_t kSumAlignment = 64;      // struct npu_gemm: c and its stride; also used for every buffer
constexpr uint64_t kMaxRows = 65535;        // struct npu_gemm
constexpr uint64_t kMaxTransfer = uint64_t{1} << 30;

constexpr uint64_t align(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

std::string kib(uint64_t bytes) {
  return std::to_string((bytes + 1023) / 1024) + " KiB";
}

/// Bytes of the buffers in one scratchpad. Dimensions are at most 65535, so 64 bits hold every product.
struct Sizes {
  std::vector<uint64_t> slots;
  std::array<uint64_t, 2> activations{};
  uint64_t sums = 0;

  [[nodiscard]] uint64_t total() const {
    uint64_t bytes = activations[0] + activations[1] + sums;
    for (const uint64_t slot : slots) {
      bytes += slot;
    }
    return bytes;
  }
};

class Planner {
 public:
  Planner(const CardNetwork& network, const Target& target) : network_(network), target_(target) {}

  MemoryPlan run(uint32_t rows) {
    plan_blocks();
    plan_strides();
    const uint64_t engine_rows = (uint64_t{rows} + target_.neural_engines - 1) / target_.neural_engines;
    const size_t slots = most_slots(engine_rows);
    if (slots == 0 || engine_rows > kMaxRows) {
      refuse(rows, engine_rows);
    }
    plan_.engine_rows = static_cast<uint32_t>(engine_rows);
    place(sizes(slots, engine_rows));
    plan_workspace(rows);
    return std::move(plan_);
  }

 private:
  void plan_blocks() {
    uint64_t offset = 0;
    for (const CardLayer& layer : network_.layers) {
      const uint64_t stride = align(uint64_t{layer.n} * value_bytes(network_.precision), kOperandAlignment);
      const uint64_t bias = align(stride * layer.k, kSumAlignment);
      const uint64_t scale = align(bias + layer.bias.size() * sizeof(uint32_t), kSumAlignment);
      const uint64_t bytes = align(scale + layer.scale.size() * sizeof(float), kSumAlignment);
      if (bytes > target_.scratchpad_bytes) {
        throw CompileError(network_.source, layer.name, "Gemm",
                           "weights need " + kib(bytes) + ", a scratchpad has " + kib(target_.scratchpad_bytes) +
                               "; splitting a layer is not supported yet");
      }
      plan_.blocks.push_back({.offset = static_cast<uint32_t>(offset),
                              .bytes = static_cast<uint32_t>(bytes),
                              .weight_stride = static_cast<uint32_t>(stride),
                              .bias_offset = static_cast<uint32_t>(bias),
                              .scale_offset = static_cast<uint32_t>(scale)});
      offset += bytes;
      if (offset > target_.shared_bytes) {
        throw CompileError(network_.source, "the weights need more than the shared memory of " +
                                                kib(target_.shared_bytes) + "; use a smaller network or int8");
      }
    }
    plan_.constants_bytes = static_cast<uint32_t>(offset);
  }

  void plan_strides() {
    for (const CardLayer& layer : network_.layers) {
      plan_.activation_strides.push_back(
          static_cast<uint32_t>(align(uint64_t{layer.k} * value_bytes(network_.precision), kOperandAlignment)));
      plan_.sum_strides.push_back(static_cast<uint32_t>(align(uint64_t{layer.n} * sizeof(uint32_t), kSumAlignment)));
    }
    plan_.activation_strides.push_back(network_.output_columns() * static_cast<uint32_t>(sizeof(float)));
  }

  [[nodiscard]] Sizes sizes(size_t slots, uint64_t rows) const {
    Sizes result;
    result.slots.resize(slots);
    for (size_t i = 0; i < plan_.blocks.size(); ++i) {
      uint64_t& slot = result.slots[i % slots];
      slot = std::max<uint64_t>(slot, plan_.blocks[i].bytes);
      result.sums = std::max(result.sums, rows * plan_.sum_strides[i]);
    }
    for (size_t i = 0; i < plan_.activation_strides.size(); ++i) {
      uint64_t& buffer = result.activations[i % 2];
      buffer = std::max(buffer, align(rows * plan_.activation_strides[i], kSumAlignment));
    }
    return result;
  }

  /// 0 when not even one slot fits.
  [[nodiscard]] size_t most_slots(uint64_t rows) const {
    size_t slots = plan_.blocks.size();
    while (slots > 0 && sizes(slots, rows).total() > target_.scratchpad_bytes) {
      --slots;
    }
    return slots;
  }

  [[noreturn]] void refuse(uint32_t rows, uint64_t engine_rows) const {
    if (most_slots(1) == 0) {
      throw CompileError(network_.source, "one row and the largest layer need " + kib(sizes(1, 1).total()) +
                                              ", a scratchpad has " + kib(target_.scratchpad_bytes) +
                                              "; splitting a layer is not supported yet");
    }
    uint64_t fits = 1;
    uint64_t too_many = engine_rows;
    while (too_many - fits > 1) {
      const uint64_t middle = (fits + too_many) / 2;
      (middle <= kMaxRows && most_slots(middle) > 0 ? fits : too_many) = middle;
    }
    throw CompileError(network_.source, "a batch of " + std::to_string(rows) +
                                            " rows does not fit into the scratchpads; use at most " +
                                            std::to_string(fits * target_.neural_engines));
  }

  void place(const Sizes& sizes) {
    uint64_t offset = 0;
    const auto take = [&](uint64_t bytes) {
      const auto result = static_cast<uint32_t>(offset);
      offset += bytes;
      return result;
    };
    for (const uint64_t slot : sizes.slots) {
      plan_.weight_slots.push_back(take(slot));
    }
    plan_.activations = {take(sizes.activations[0]), take(sizes.activations[1])};
    plan_.sums = take(sizes.sums);
  }

  void plan_workspace(uint32_t rows) {
    constexpr uint64_t kAlignment = 4096;
    const uint64_t inputs = uint64_t{rows} * plan_.activation_strides.front();
    const uint64_t outputs = uint64_t{rows} * plan_.activation_strides.back();
    if (std::max(inputs, outputs) > kMaxTransfer) {
      throw CompileError(network_.source, "a batch of " + std::to_string(rows) + " rows exceeds " + kib(kMaxTransfer) +
                                              " of inputs or outputs; use a smaller one");
    }
    plan_.workspace_output = align(inputs, kAlignment);
    plan_.workspace_bytes = align(plan_.workspace_output + outputs, kAlignment);
  }

  const CardNetwork& network_;
  const Target& target_;
  MemoryPlan plan_;
};

}  // namespace

MemoryPlan plan_memory(const CardNetwork& network, const Target& target, uint32_t rows) {
  if (target.neural_engines == 0 || rows == 0) {
    throw CompileError(network.source, "a batch needs at least one row and one Neural Engine");
  }
  return Planner(network, target).run(rows);
}

}  // namespace npuvp::compiler
