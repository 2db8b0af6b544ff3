// SPDX-License-Identifier: Apache-2.0
#include "models/dma/command_check.h"

#include <algorithm>
#include <iterator>

#include "firmware/abi/queue.h"
#include "models/dma/transfer.h"

namespace npuvp::dma {
namespace {

using base::CommandOutcome;

constexpr uint64_t kSpaceBytes = 1ULL << 56;
constexpr uint64_t kMaxElements = 1ULL << 48;  // what NPU_DMA_POSITION can count
constexpr CommandOutcome kIllegal{NPU_FAULT_ILLEGAL_COMMAND, 0};

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
    case NPU_COMMAND_DEVICE_HDMA:
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

bool may_fill(npu_command_kind kind, Space destination) {
  return allowed(kind, destination, Space::kSegment) || allowed(kind, destination, Space::kShared) ||
         allowed(kind, destination, Space::kScratchpad);
}

CommandOutcome check_spaces(npu_command_kind kind, uint64_t source, uint64_t destination) {
  const Space from = space_of(source);
  const Space to = space_of(destination);
  if (from == Space::kUnknown) return {NPU_FAULT_ADDRESS, source};
  if (to == Space::kUnknown) return {NPU_FAULT_ADDRESS, destination};
  return allowed(kind, from, to) ? CommandOutcome{} : kIllegal;
}

bool reserved_clear(const auto& reserved) {
  return std::all_of(std::begin(reserved), std::end(reserved), [](auto word) { return word == 0; });
}

/// True if all rows from `address` on stay inside the space of `address`.
bool rows_stay_in_space(uint64_t address, const npu_dma& dma, uint64_t stride) {
  uint64_t end = 0;
  if (dma.rows > 1 && __builtin_mul_overflow(stride, uint64_t{dma.rows} - 1, &end)) return false;
  return end < kSpaceBytes && NPU_ADDRESS_OFFSET(address) + end + dma.row_bytes <= kSpaceBytes;
}

CommandOutcome check(const npu_dma& dma, npu_command_kind kind) {
  if (!reserved_clear(dma.reserved) || dma.rows == 0 || dma.row_bytes == 0 ||
      uint64_t{dma.rows} * dma.row_bytes >= kMaxElements) {
    return kIllegal;
  }
  if (const auto spaces = check_spaces(kind, dma.source, dma.destination); !spaces.ok()) return spaces;
  if (!rows_stay_in_space(dma.source, dma, dma.source_stride)) return {NPU_FAULT_ADDRESS, dma.source};
  if (!rows_stay_in_space(dma.destination, dma, dma.destination_stride)) return {NPU_FAULT_ADDRESS, dma.destination};
  return {};
}

bool sizes_legal(const npu_dma_tensor& tensor) {
  uint64_t elements = 1;
  for (const uint32_t size : tensor.size) {
    if (size == 0 || __builtin_mul_overflow(elements, uint64_t{size}, &elements)) return false;
  }
  return elements < kMaxElements;
}

bool types_legal(const Transfer& transfer) {
  if (transfer.source.element_bytes == 0 || transfer.destination.element_bytes == 0) return false;
  const auto aligned = [](const Transfer::End& end) {
    const auto bytes = static_cast<int64_t>(end.element_bytes);
    return end.address % end.element_bytes == 0 &&
           std::all_of(end.stride.begin(), end.stride.end(), [&](int64_t stride) { return stride % bytes == 0; });
  };
  if (transfer.fill) return aligned(transfer.destination);
  return aligned(transfer.source) && aligned(transfer.destination);
}

bool fill_legal(const npu_dma_tensor& tensor, const Transfer& transfer) {
  const uint64_t limit = 1ULL << (8 * transfer.destination.element_bytes);
  return !transfer.converts() && tensor.source < limit &&
         std::all_of(std::begin(tensor.source_stride), std::end(tensor.source_stride), [](int s) { return s == 0; });
}

bool list_legal(const npu_dma_tensor& tensor, npu_command_kind kind) {
  if ((tensor.flags & (NPU_DMA_GATHER | NPU_DMA_SCATTER)) == 0) {
    return tensor.index_dimension == 0 && tensor.indices == 0 && tensor.index_limit == 0;
  }
  const uint64_t bytes = uint64_t{tensor.size[tensor.index_dimension % NPU_DMA_DIMENSIONS]} * sizeof(uint32_t);
  return tensor.index_dimension < NPU_DMA_DIMENSIONS && tensor.index_limit > 0 &&
         tensor.indices % sizeof(uint32_t) == 0 && reaches(kind, tensor.indices) &&
         NPU_ADDRESS_OFFSET(tensor.indices) + bytes <= kSpaceBytes;
}

/// True if no element of `end` lies outside of the address's space.
bool stays_in_space(const Transfer& transfer, const Transfer::End& end, bool indexed) {
  constexpr auto kSpan = static_cast<int64_t>(kSpaceBytes);
  auto lowest = static_cast<int64_t>(NPU_ADDRESS_OFFSET(end.address));
  int64_t highest = lowest + end.element_bytes;
  for (unsigned d = 0; d < NPU_DMA_DIMENSIONS; ++d) {
    const uint64_t count = indexed && d == transfer.index_dimension ? transfer.index_limit : transfer.size[d];
    int64_t reach = 0;  // five of less than 2^56 cannot overflow
    if (__builtin_mul_overflow(end.stride[d], count - 1, &reach) || reach >= kSpan || reach <= -kSpan) return false;
    (reach < 0 ? lowest : highest) += reach;
  }
  return lowest >= 0 && highest <= kSpan;
}

CommandOutcome check(const npu_dma_tensor& tensor, npu_command_kind kind) {
  constexpr unsigned kFlags = NPU_DMA_FILL | NPU_DMA_GATHER | NPU_DMA_SCATTER;
  const bool fill = (tensor.flags & NPU_DMA_FILL) != 0;
  const bool gather = (tensor.flags & NPU_DMA_GATHER) != 0;
  const bool scatter = (tensor.flags & NPU_DMA_SCATTER) != 0;
  const auto transfer = Transfer::from(tensor);
  if ((tensor.flags & ~kFlags) != 0 || (gather && (scatter || fill)) || tensor.reserved != 0 || !sizes_legal(tensor) ||
      !types_legal(transfer) || !list_legal(tensor, kind) || (fill && !fill_legal(tensor, transfer))) {
    return kIllegal;
  }
  if (fill) {
    const Space to = space_of(tensor.destination);
    if (to == Space::kUnknown) return {NPU_FAULT_ADDRESS, tensor.destination};
    if (!may_fill(kind, to)) return kIllegal;
  } else {
    if (const auto spaces = check_spaces(kind, tensor.source, tensor.destination); !spaces.ok()) return spaces;
    if (!stays_in_space(transfer, transfer.source, gather)) return {NPU_FAULT_ADDRESS, tensor.source};
  }
  if (!stays_in_space(transfer, transfer.destination, scatter)) return {NPU_FAULT_ADDRESS, tensor.destination};
  return {};
}

CommandOutcome check(const npu_dma_chain& chain, npu_command_kind kind) {
  if (!reserved_clear(chain.reserved) || chain.reserved0 != 0 || chain.limit == 0 ||
      chain.limit > NPU_DMA_CHAIN_LIMIT || chain.descriptor % sizeof(npu_dma_descriptor) != 0) {
    return kIllegal;
  }
  return reaches(kind, chain.descriptor) ? CommandOutcome{} : CommandOutcome{NPU_FAULT_ADDRESS, chain.descriptor};
}

}  // namespace

bool reaches(npu_command_kind kind, uint64_t address) {
  switch (space_of(address)) {
    case Space::kSegment:
      return true;
    case Space::kScratchpad:
      return kind == NPU_COMMAND_NEURAL_DMA;
    case Space::kShared:
      return kind == NPU_COMMAND_NEURAL_DMA || kind == NPU_COMMAND_TASK_DMA;
    default:
      return false;
  }
}

CommandOutcome check_command(const npu_command& command, npu_command_kind kind, unsigned channel) {
  if (command.kind != kind || command.engine != channel || command.flags != 0) return kIllegal;
  switch (command.opcode) {
    case NPU_DMA_COPY:
      return check(command.u.dma, kind);
    case NPU_DMA_TENSOR:
      return check(command.u.tensor, kind);
    case NPU_DMA_CHAIN:
      return check(command.u.chain, kind);
    default:
      return kIllegal;
  }
}

CommandOutcome check_descriptor(const npu_dma_descriptor& descriptor, npu_command_kind kind) {
  if (!reserved_clear(descriptor.reserved0) || !reserved_clear(descriptor.reserved)) return kIllegal;
  if (descriptor.next != NPU_DMA_CHAIN_END &&
      (descriptor.next % sizeof descriptor != 0 || !reaches(kind, descriptor.next))) {
    return {NPU_FAULT_ADDRESS, descriptor.next};
  }
  switch (descriptor.opcode) {
    case NPU_DMA_COPY:
      return check(descriptor.u.dma, kind);
    case NPU_DMA_TENSOR:
      return check(descriptor.u.tensor, kind);
    default:
      return kIllegal;
  }
}

}  // namespace npuvp::dma
