// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "models/base/sparse_memory.h"
#include "platform/host/inproc/free_space.h"

namespace npuvp::host {

/// The in-process host's RAM as the fabric sees it: one range of bus addresses with a page allocator.
class HostMemory {
 public:
  static constexpr uint64_t kPageBytes = 4096;

  /// RAM of `bytes` at bus address `base`; both multiples of the page size.
  HostMemory(uint64_t base, uint64_t bytes);

  struct Block {
    uint64_t bus_address;
    std::span<uint8_t> bytes;
  };

  /// A zeroed, page-aligned, contiguous block; first fit. Throws std::bad_alloc when nothing is free.
  [[nodiscard]] Block allocate(uint64_t bytes);
  void free(const Block& block);

  /// The bytes behind a bus address range, or an empty span if any of it is outside.
  [[nodiscard]] std::span<uint8_t> at(uint64_t bus_address, uint64_t bytes);

 private:
  uint64_t base_;
  base::SparseMemory memory_;
  FreeSpace free_;  // offsets
};

/// Owns a block for the length of a scope or of an object.
class HostBlock {
 public:
  HostBlock(HostMemory& memory, uint64_t bytes) : memory_(&memory), block_(memory.allocate(bytes)) {}
  ~HostBlock() { memory_->free(block_); }
  HostBlock(const HostBlock&) = delete;
  HostBlock& operator=(const HostBlock&) = delete;

  [[nodiscard]] uint64_t bus_address() const { return block_.bus_address; }
  [[nodiscard]] std::span<uint8_t> bytes() const { return block_.bytes; }

 private:
  HostMemory* memory_;
  HostMemory::Block block_;
};

}  // namespace npuvp::host
