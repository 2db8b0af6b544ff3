// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace npuvp::base {

/// Zero-initialised memory whose host cost is what was touched, not its size: an anonymous mapping without reserve.
class SparseMemory {
 public:
  /// `bytes` > 0, rounded up to the host's page size. Throws std::bad_alloc when the address space is exhausted.
  explicit SparseMemory(uint64_t bytes);
  ~SparseMemory();
  SparseMemory(const SparseMemory&) = delete;
  SparseMemory& operator=(const SparseMemory&) = delete;

  [[nodiscard]] uint8_t* data() { return data_; }
  [[nodiscard]] const uint8_t* data() const { return data_; }
  [[nodiscard]] uint64_t size() const { return size_; }

  /// True if [offset, offset + bytes) lies inside, without overflow.
  [[nodiscard]] bool contains(uint64_t offset, uint64_t bytes) const {
    return offset <= size_ && bytes <= size_ - offset;
  }
  /// The bytes at `offset`; the caller has checked contains().
  [[nodiscard]] std::span<uint8_t> span(uint64_t offset, uint64_t bytes) { return {data_ + offset, bytes}; }

  /// All zeros again, and the host's pages given back.
  void clear();
  /// Zeros [offset, offset + bytes), giving back the host's pages that lie inside; the caller has checked contains().
  void clear(uint64_t offset, uint64_t bytes);

  /// Host memory in use now, in bytes.
  [[nodiscard]] uint64_t resident_bytes() const;

 private:
  uint8_t* data_ = nullptr;
  uint64_t size_ = 0;
  uint64_t mapped_ = 0;
};

}  // namespace npuvp::base
