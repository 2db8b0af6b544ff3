// SPDX-License-Identifier: Apache-2.0
#include "models/dma/command_check.h"

#include <algorithm>
#include <iterator>

#include "firmware/abi/queue.h"

namespace npuvp::dma {
namespace {

enum class Space : uint8_t { kUnknown, kSegment, kScratchpad, kShared };

Space space_of(uint64_t address) {
  const uint32_t space = NPU_ADDRESS_SPACE(address);
  if (space < NPU_MAX_SEGMENTS) return Space::kSegment;
  if (space == NPU_SPACE_SCRATCHPAD) return Space::kScratchpad;
  return space == NPU_SPACE_SHARED ? Space::kShared : Space::kUnknown;
}

bool joins(Space source, Space destination, Space one, Space other) {
  return (source == one && destination == other) || (source == other && destination == one);
}

bool allowed(npu_command_kind kind, Space source, Space destination) {
  switch (kind) {
    case NPU_COMMAND_EXTERNAL_HDMA:
      return source == Space::kSegment && destination == Space::kSegment;
    case NPU_COMMAND_NEURAL_DMA:
      return joins(source, destination, Space::kScratchpad, Space::kSegment) ||
             joins(source, destination, Space::kScratchpad, Space::kShared);
    case NPU_COMMAND_TASK_DMA:
      return joins(source, destination, Space::kSegment, Space::kShared);
    default:
      return false;
  }
}

/// True if all rows from `address` on stay inside the space of `address`.
bool stays_in_space(uint64_t address, const npu_dma& dma, uint64_t stride) {
  constexpr uint64_t kSpaceBytes = 1ULL << 56;
  uint64_t end = 0;
  if (dma.rows > 1 && __builtin_mul_overflow(stride, uint64_t{dma.rows} - 1, &end)) return false;
  return end < kSpaceBytes && NPU_ADDRESS_OFFSET(address) + end + dma.row_bytes <= kSpaceBytes;
}

}  // namespace

base::CommandOutcome check_command(const npu_command& command, npu_command_kind kind, unsigned channel) {
  const auto& dma = command.u.dma;
  const bool reserved_clear =
      std::all_of(std::begin(dma.reserved), std::end(dma.reserved), [](uint64_t word) { return word == 0; });
  if (command.kind != kind || command.opcode != NPU_DMA_COPY || command.engine != channel || command.flags != 0 ||
      !reserved_clear || dma.rows == 0 || dma.row_bytes == 0) {
    return {NPU_FAULT_ILLEGAL_COMMAND, 0};
  }
  const Space source = space_of(dma.source);
  const Space destination = space_of(dma.destination);
  if (source == Space::kUnknown) return {NPU_FAULT_ADDRESS, dma.source};
  if (destination == Space::kUnknown) return {NPU_FAULT_ADDRESS, dma.destination};
  if (!allowed(kind, source, destination)) return {NPU_FAULT_ILLEGAL_COMMAND, 0};
  if (!stays_in_space(dma.source, dma, dma.source_stride)) return {NPU_FAULT_ADDRESS, dma.source};
  if (!stays_in_space(dma.destination, dma, dma.destination_stride)) return {NPU_FAULT_ADDRESS, dma.destination};
  return {};
}

}  // namespace npuvp::dma
