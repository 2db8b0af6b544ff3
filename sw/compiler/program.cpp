// SPDX-License-Identifier: Apache-2.0
#include "sw/compiler/program.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

#include "sw/compiler/command_stream.h"
#include "sw/compiler/error.h"

namespace npuvp::compiler {
namespace {

constexpr uint16_t kTokenShared = 0;  // Task DMA: layers in shared memory
constexpr uint16_t kTokenInput = 1;   // External HDMA: engines whose inputs are in DRAM
constexpr uint16_t kTokenOutput = 2;  // Neural DMA: engines whose outputs are in DRAM
constexpr uint16_t kTokensCommon = 3;
constexpr uint16_t kTokensPerEngine = 2;
constexpr uint32_t kMaxEngines = (NPU_TOKENS - kTokensCommon) / kTokensPerEngine;

constexpr uint8_t kHostToCard = 0;  // engines of the External HDMA
constexpr uint8_t kCardToHost = 1;

constexpr uint64_t scratchpad(uint64_t offset) {
  return NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, offset);
}

}  // namespace

/// Writes the command stream of one batch, in an order that would also be correct one command after the other.
class InferenceGenerator {
 public:
  InferenceGenerator(const Program& program, uint32_t rows) : program_(program), plan_(program.plan_) {
    const uint32_t engines = program.target_.neural_engines;
    uint32_t first = 0;
    for (uint32_t i = 0; i < engines && first < rows; ++i) {
      const uint32_t count = rows / engines + (i < rows % engines ? 1 : 0);
      engines_.push_back({.number = static_cast<uint8_t>(i), .first_row = first, .rows = count});
      first += count;
    }
    in_shared_.resize(program.layers_.size());
    loaded_.resize(program.layers_.size(), std::vector<Event>(engines_.size()));
    computed_.resize(program.layers_.size(), std::vector<Event>(engines_.size()));
  }

  std::vector<npu_command> run() {
    const size_t layers = program_.layers_.size();
    const bool ahead = plan_.weight_slots.size() > 1;
    share_weights(0);
    for (Engine& engine : engines_) {
      fetch_input(engine);
    }
    load_weights(0);
    load_inputs();
    for (size_t layer = 0; layer < layers; ++layer) {
      const bool more = layer + 1 < layers;
      if (more) {
        share_weights(layer + 1);
        if (ahead) {
          load_weights(layer + 1);
        }
      }
      compute(layer);
      if (more && !ahead) {
        load_weights(layer + 1);
      }
    }
    store_outputs();
    return stream_.take();
  }

 private:
  struct Engine {
    uint8_t number;
    uint32_t first_row;
    uint32_t rows;
    Event input_in_dram{};
  };

  static uint32_t tag(size_t layer) { return static_cast<uint32_t>(layer) + 1; }  // 0: inputs and outputs
  static uint16_t token_loaded(const Engine& engine) {
    return static_cast<uint16_t>(kTokensCommon + engine.number * kTokensPerEngine);
  }
  static uint16_t token_computed(const Engine& engine) { return static_cast<uint16_t>(token_loaded(engine) + 1); }

  void share_weights(size_t layer) {
    const LayerBlock& block = plan_.blocks[layer];
    in_shared_[layer] = stream_.copy(
        {.kind = NPU_COMMAND_TASK_DMA, .engine = 0, .tag = tag(layer), .waits = {}, .signal = kTokenShared},
        NPU_ADDRESS(kSegmentConstants, block.offset), NPU_ADDRESS(NPU_SPACE_SHARED, block.offset), block.bytes);
  }

  void fetch_input(Engine& engine) {
    const uint32_t stride = program_.input_row_stride();
    const uint64_t offset = uint64_t{engine.first_row} * stride;
    engine.input_in_dram = stream_.copy(
        {.kind = NPU_COMMAND_EXTERNAL_HDMA, .engine = kHostToCard, .tag = 0, .waits = {}, .signal = kTokenInput},
        NPU_ADDRESS(kSegmentInput, offset), NPU_ADDRESS(kSegmentWorkspace, offset), engine.rows * stride);
  }

  /// Into each engine's slot, when the layer that was there before has been computed.
  void load_weights(size_t layer) {
    const LayerBlock& block = plan_.blocks[layer];
    const size_t slots = plan_.weight_slots.size();
    for (size_t i = 0; i < engines_.size(); ++i) {
      const Engine& engine = engines_[i];
      const Event slot_free = layer >= slots ? computed_[layer - slots][i] : Event{};
      loaded_[layer][i] =
          stream_.copy({.kind = NPU_COMMAND_NEURAL_DMA,
                        .engine = engine.number,
                        .tag = tag(layer),
                        .waits = {in_shared_[layer], slot_free},
                        .signal = token_loaded(engine)},
                       NPU_ADDRESS(NPU_SPACE_SHARED, block.offset), scratchpad(plan_.weight_slot(layer)), block.bytes);
    }
  }

  /// Behind the weights of layer 0 in the same queues, so that these inputs stand for both.
  void load_inputs() {
    const uint32_t stride = program_.input_row_stride();
    for (size_t i = 0; i < engines_.size(); ++i) {
      const Engine& engine = engines_[i];
      loaded_[0][i] = stream_.copy({.kind = NPU_COMMAND_NEURAL_DMA,
                                    .engine = engine.number,
                                    .tag = 0,
                                    .waits = {engine.input_in_dram},
                                    .signal = token_loaded(engine)},
                                   NPU_ADDRESS(kSegmentWorkspace, uint64_t{engine.first_row} * stride),
                                   scratchpad(plan_.activations[0]), engine.rows * stride);
    }
  }

  void compute(size_t layer) {
    for (size_t i = 0; i < engines_.size(); ++i) {
      const Engine& engine = engines_[i];
      stream_.gemm(
          {.kind = NPU_COMMAND_NEURAL_ENGINE, .engine = engine.number, .tag = tag(layer), .waits = {loaded_[layer][i]}},
          gemm(layer, engine.rows));
      computed_[layer][i] = stream_.vector({.kind = NPU_COMMAND_NEURAL_ENGINE,
                                            .engine = engine.number,
                                            .tag = tag(layer),
                                            .waits = {},
                                            .signal = token_computed(engine)},
                                           vector(layer, engine.rows));
    }
  }

  [[nodiscard]] npu_gemm gemm(size_t index, uint32_t rows) const {
    const Program::Layer& layer = program_.layers_[index];
    npu_gemm gemm{};
    gemm.a = plan_.activations[index % 2];
    gemm.b = plan_.weight_slot(index);
    gemm.c = plan_.sums;
    gemm.m = rows;
    gemm.n = layer.n;
    gemm.k = layer.k;
    gemm.a_stride = plan_.activation_strides[index];
    gemm.b_stride = plan_.blocks[index].weight_stride;
    gemm.c_stride = plan_.sum_strides[index];
    gemm.type = layer.operand_type;
    return gemm;
  }

  [[nodiscard]] npu_vector vector(size_t index, uint32_t rows) const {
    const Program::Layer& layer = program_.layers_[index];
    const LayerBlock& block = plan_.blocks[index];
    npu_vector vector{};
    vector.in = plan_.sums;
    vector.out = plan_.activations[(index + 1) % 2];
    vector.bias = (layer.vector_flags & NPU_VECTOR_BIAS) != 0 ? plan_.weight_slot(index) + block.bias_offset : 0;
    vector.scale = (layer.vector_flags & NPU_VECTOR_SCALE) != 0 ? plan_.weight_slot(index) + block.scale_offset : 0;
    vector.m = rows;
    vector.n = layer.n;
    vector.in_stride = plan_.sum_strides[index];
    vector.out_stride = plan_.activation_strides[index + 1];
    vector.in_type = layer.sum_type;
    vector.out_type = layer.out_type;
    vector.flags = layer.vector_flags;
    return vector;
  }

  void store_outputs() {
    const size_t layers = program_.layers_.size();
    const uint32_t stride = plan_.activation_strides.back();
    Event stored;
    uint32_t rows = 0;
    for (size_t i = 0; i < engines_.size(); ++i) {
      const Engine& engine = engines_[i];
      stored =
          stream_.copy({.kind = NPU_COMMAND_NEURAL_DMA,
                        .engine = engine.number,
                        .tag = 0,
                        .waits = {computed_.back()[i]},
                        .signal = kTokenOutput},
                       scratchpad(plan_.activations[layers % 2]),
                       NPU_ADDRESS(kSegmentWorkspace, plan_.workspace_output + uint64_t{engine.first_row} * stride),
                       engine.rows * stride);
      rows += engine.rows;
    }
    // `stored` counts all engines, so it is true only when every one has stored its rows.
    stream_.copy({.kind = NPU_COMMAND_EXTERNAL_HDMA, .engine = kCardToHost, .tag = 0, .waits = {stored}},
                 NPU_ADDRESS(kSegmentWorkspace, plan_.workspace_output), NPU_ADDRESS(kSegmentOutput, 0), rows * stride);
  }

  const Program& program_;
  const MemoryPlan& plan_;
  CommandStream stream_;
  std::vector<Engine> engines_;
  std::vector<Event> in_shared_;              // [layer]
  std::vector<std::vector<Event>> loaded_;    // [layer][engine]: all that the layer needs
  std::vector<std::vector<Event>> computed_;  // [layer][engine]
};

Program::Program(const CardNetwork& network, const Target& target, uint32_t max_rows)
    : plan_(plan_memory(network, target, max_rows)),
      target_(target),
      max_rows_(max_rows),
      output_columns_(network.output_columns()),
      input_row_bytes_(network.input_columns() * value_bytes(network.precision)) {
  if (target.neural_engines > kMaxEngines) {
    throw CompileError(network.source, "the card has " + std::to_string(target.neural_engines) +
                                           " Neural Engines, supported are " + std::to_string(kMaxEngines));
  }
  const bool int8 = network.precision == Precision::kInt8;
  for (const CardLayer& layer : network.layers) {
    const bool last = &layer == &network.layers.back();
    const uint8_t operand = int8 ? NPU_TYPE_INT8 : NPU_TYPE_FP16;
    layers_.push_back({.k = layer.k,
                       .n = layer.n,
                       .operand_type = operand,
                       .sum_type = int8 ? uint8_t{NPU_TYPE_INT32} : uint8_t{NPU_TYPE_FP32},
                       .out_type = last ? uint8_t{NPU_TYPE_FP32} : operand,
                       .vector_flags = layer.vector_flags()});
  }
  pack_constants(network);
  try {
    (void)load_commands();
    (void)infer_commands(max_rows);
  } catch (const std::length_error& error) {
    throw CompileError(network.source, std::string("the network is too deep: ") + error.what());
  }
}

void Program::pack_constants(const CardNetwork& network) {
  constants_.resize(plan_.constants_bytes);
  for (size_t i = 0; i < network.layers.size(); ++i) {
    const CardLayer& layer = network.layers[i];
    const LayerBlock& block = plan_.blocks[i];
    std::byte* const base = &constants_[block.offset];
    const size_t row_bytes = size_t{layer.n} * value_bytes(network.precision);
    for (size_t row = 0; row < layer.k; ++row) {
      std::memcpy(base + row * block.weight_stride, &layer.weight[row * row_bytes], row_bytes);
    }
    const auto copy_vector = [&](const auto& values, uint32_t offset) {
      if (!values.empty()) {
        std::memcpy(base + offset, values.data(), values.size() * sizeof(values[0]));
      }
    };
    copy_vector(layer.bias, block.bias_offset);
    copy_vector(layer.scale, block.scale_offset);
  }
}

std::vector<npu_command> Program::load_commands() const {
  CommandStream stream;
  for (size_t i = 0; i < plan_.blocks.size(); ++i) {
    const LayerBlock& block = plan_.blocks[i];
    stream.copy(
        {.kind = NPU_COMMAND_EXTERNAL_HDMA, .engine = kHostToCard, .tag = static_cast<uint32_t>(i) + 1, .waits = {}},
        NPU_ADDRESS(kSegmentConstantsHost, block.offset), NPU_ADDRESS(kSegmentConstants, block.offset), block.bytes);
  }
  return stream.take();
}

std::vector<npu_command> Program::infer_commands(uint32_t rows) const {
  if (rows == 0 || rows > max_rows_) {
    throw std::logic_error("Program::infer_commands: rows out of range");
  }
  return InferenceGenerator(*this, rows).run();
}

}  // namespace npuvp::compiler
