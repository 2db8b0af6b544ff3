// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "firmware/abi/command.h"
#include "sw/compiler/card_network.h"
#include "sw/compiler/memory_plan.h"

namespace npuvp::compiler {

/// Segment numbers that a program's command streams use. Programs hold no addresses.
enum SegmentRole : uint32_t {
  kSegmentCommands = 0,       ///< Host, read.
  kSegmentConstantsHost = 1,  ///< Host, read: constants(), source of the load.
  kSegmentConstants = 2,      ///< Device: written by the load, read by inference.
  kSegmentInput = 3,          ///< Host, read: rows of input_row_stride() bytes.
  kSegmentOutput = 4,         ///< Host, written: FP32 [rows][output_columns()].
  kSegmentWorkspace = 5,      ///< Device, written and read; no contents survive a job.
  kSegmentCount = 6,
};

/// A network compiled for a card: constants, a command stream that brings them into the card's DRAM once, and command
/// streams for batches of any size up to a limit.
///
/// One inference job, rows split evenly over the engines (the first ones take the remainder; without rows: idle):
///
///   External HDMA   host -> DRAM        inputs, one engine's rows at a time
///   Task DMA        DRAM -> shared      operands of layer 0, 1, ...   (every job: another context's job may have
///                                                                      used the shared memory in between)
///   Neural DMA e    shared -> scratchpad  operands of a layer, one layer ahead; DRAM -> scratchpad the engine's inputs
///   Neural Engine e GEMM, VECTOR        for each layer
///   Neural DMA e    scratchpad -> DRAM  the engine's outputs
///   External HDMA   DRAM -> host        all outputs
///
/// Tokens are the only order between queues, so engines run ahead of each other as their data arrive.
class Program {
 public:
  /// For batches of 1 to `max_rows` rows. Errors: CompileError when the network or the batch does not fit the target.
  Program(const CardNetwork& network, const Target& target, uint32_t max_rows);

  [[nodiscard]] uint32_t max_rows() const { return max_rows_; }
  [[nodiscard]] uint32_t output_columns() const { return output_columns_; }
  [[nodiscard]] uint32_t input_row_bytes() const { return input_row_bytes_; }  ///< As CardNetwork::encode() packs them.
  [[nodiscard]] uint32_t input_row_stride() const { return plan_.activation_strides.front(); }
  [[nodiscard]] uint64_t input_bytes() const { return uint64_t{max_rows_} * input_row_stride(); }
  [[nodiscard]] uint64_t output_bytes() const { return uint64_t{max_rows_} * output_columns_ * sizeof(float); }
  [[nodiscard]] uint64_t workspace_bytes() const { return plan_.workspace_bytes; }
  [[nodiscard]] std::span<const std::byte> constants() const { return constants_; }

  /// Constants from host to device.
  [[nodiscard]] std::vector<npu_command> load_commands() const;
  /// One batch of `rows` rows, 1 to max_rows().
  [[nodiscard]] std::vector<npu_command> infer_commands(uint32_t rows) const;

 private:
  /// What a layer's commands need besides the plan.
  struct Layer {
    uint32_t k;
    uint32_t n;
    uint8_t operand_type;
    uint8_t sum_type;
    uint8_t out_type;
    uint8_t vector_flags;
  };
  friend class InferenceGenerator;

  void pack_constants(const CardNetwork& network);

  MemoryPlan plan_;
  Target target_;
  uint32_t max_rows_;
  uint32_t output_columns_;
  uint32_t input_row_bytes_;
  std::vector<Layer> layers_;
  std::vector<std::byte> constants_;
};

}  // namespace npuvp::compiler
