// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "firmware/abi/command.h"

namespace npuvp::dma {

/// What a transfer moves: the common form of npu_dma and npu_dma_tensor, checked (command_check.h).
/// Addresses are those of its space; none that it computes wraps around or leaves its space.
struct Transfer {
  enum class Indexed : uint8_t { kNone, kSource, kDestination };

  /// One end. Strides in bytes; dimension 0 is the fastest.
  struct End {
    uint64_t address = 0;
    std::array<int64_t, NPU_DMA_DIMENSIONS> stride{};
    uint32_t element_bytes = 1;
    npu_type type = NPU_TYPE_INT8;
  };

  End source;
  End destination;
  std::array<uint64_t, NPU_DMA_DIMENSIONS> size{1, 1, 1, 1, 1};  ///< Elements, > 0.
  Indexed indexed = Indexed::kNone;
  unsigned index_dimension = 0;
  uint64_t indices = 0;
  uint32_t index_limit = 0;
  std::optional<uint32_t> fill;  ///< Nothing is read: bits of each element.

  /// `bytes` contiguous bytes.
  static Transfer line(uint64_t source, uint64_t destination, uint64_t bytes);
  static Transfer from(const npu_dma& dma);
  static Transfer from(const npu_dma_tensor& tensor);

  [[nodiscard]] bool converts() const { return source.type != destination.type; }
  /// Written in all.
  [[nodiscard]] uint64_t bytes() const;
};

}  // namespace npuvp::dma
