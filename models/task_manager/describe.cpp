// SPDX-License-Identifier: Apache-2.0
#include "models/task_manager/describe.h"

#include <iterator>

#include "firmware/abi/element.h"

namespace npuvp::task_manager {
namespace {

bool is_dma(const npu_command& command) {
  return command.kind == NPU_COMMAND_NEURAL_DMA || command.kind == NPU_COMMAND_TASK_DMA ||
         command.kind == NPU_COMMAND_EXTERNAL_HDMA || command.kind == NPU_COMMAND_DEVICE_HDMA;
}

std::string_view title_of_engine(uint8_t opcode) {
  static constexpr std::string_view kTitles[] = {"illegal", "gemm",    "vector",    "convolution", "elementwise",
                                                 "reduce",  "softmax", "normalize", "rotary",      "gather",
                                                 "scatter", "top-k",   "transpose"};
  return opcode < std::size(kTitles) ? kTitles[opcode] : kTitles[0];
}

std::string_view title_of_dma(const npu_command& command) {
  if (command.opcode == NPU_DMA_CHAIN) return "chain";
  if (command.opcode != NPU_DMA_TENSOR) return "copy";
  const auto flags = command.u.tensor.flags;
  if ((flags & NPU_DMA_FILL) != 0) return "fill";
  if ((flags & NPU_DMA_GATHER) != 0) return "gather";
  return (flags & NPU_DMA_SCATTER) != 0 ? "scatter" : "tensor";
}

}  // namespace

uint64_t dma_bytes(const npu_command& command) {
  if (!is_dma(command)) return 0;
  if (command.opcode == NPU_DMA_COPY) return uint64_t{command.u.dma.rows} * command.u.dma.row_bytes;
  if (command.opcode != NPU_DMA_TENSOR) return 0;
  uint64_t bits = npu_type_bits(command.u.tensor.destination_type);
  for (const uint32_t size : command.u.tensor.size) bits *= size;
  return bits / 8;
}

std::string_view title_of(const npu_command& command) {
  switch (command.kind) {
    case NPU_COMMAND_NEURAL_ENGINE:
      return title_of_engine(command.opcode);
    case NPU_COMMAND_DEVICE_SYNC:
      if (command.opcode == NPU_SYNC_WAIT) return "wait";
      return command.opcode == NPU_SYNC_SIGNAL ? "signal" : "update";
    case NPU_COMMAND_CONTROL:
      return command.opcode == NPU_CONTROL_BARRIER ? "barrier" : "tokens";
    default:
      return title_of_dma(command);
  }
}

base::TraceArguments arguments_of(const npu_command& command, uint32_t index) {
  base::TraceArguments arguments{{"tag", uint64_t{command.tag}}, {"index", uint64_t{index}}};
  if (is_dma(command)) {
    arguments.push_back({"bytes", dma_bytes(command)});
  } else if (command.kind == NPU_COMMAND_DEVICE_SYNC) {
    arguments.insert(arguments.end(),
                     {{"flag", uint64_t{command.u.sync.flag}}, {"value", uint64_t{command.u.sync.value}}});
  } else if (command.kind == NPU_COMMAND_NEURAL_ENGINE && command.opcode == NPU_NE_GEMM) {
    const auto& gemm = command.u.gemm;
    arguments.insert(arguments.end(), {{"m", uint64_t{gemm.m}}, {"n", uint64_t{gemm.n}}, {"k", uint64_t{gemm.k}}});
  } else if (command.kind == NPU_COMMAND_NEURAL_ENGINE && command.opcode == NPU_NE_VECTOR) {
    const auto& vector = command.u.vector;
    arguments.insert(arguments.end(), {{"m", uint64_t{vector.m}}, {"n", uint64_t{vector.n}}});
  }
  return arguments;
}

}  // namespace npuvp::task_manager
