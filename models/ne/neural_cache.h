// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>

namespace npuvp::ne {

/// L1 neural cache: keeps operands of the vector and transpose units close to them, so that what is used again does not
/// pass the scratchpad's port again. It holds whole operands, the least recently used goes first, and it is about time
/// only: contents are always those of the scratchpad. README.md says when it forgets.
class NeuralCache {
 public:
  explicit NeuralCache(uint64_t bytes) : capacity_(bytes) {}

  /// Bytes that the scratchpad has to deliver for an operand: none if it is all here, `unique` if it fits, so that
  /// repeated rows come from here, else all of its `traffic`.
  uint64_t fetch(uint64_t offset, uint64_t extent, uint64_t unique, uint64_t traffic) {
    const auto place = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
      return entry.offset == offset && entry.extent == extent;
    });
    if (place != entries_.end()) {
      const Entry entry = *place;
      entries_.erase(place);
      entries_.push_front(entry);
      hit_bytes_ += traffic;
      return 0;
    }
    if (unique > capacity_) {
      missed_bytes_ += traffic;
      return traffic;
    }
    for (used_ += unique; used_ > capacity_; entries_.pop_back()) used_ -= entries_.back().bytes;
    entries_.push_front({offset, extent, unique});
    missed_bytes_ += unique;
    hit_bytes_ += traffic - unique;
    return unique;
  }

  /// The engine has written there.
  void forget(uint64_t offset, uint64_t extent) {
    std::erase_if(entries_, [&](const Entry& entry) {
      const bool overlaps = entry.offset < offset + extent && offset < entry.offset + entry.extent;
      if (overlaps) used_ -= entry.bytes;
      return overlaps;
    });
  }
  void forget_all() {
    entries_.clear();
    used_ = 0;
  }
  void reset() {
    forget_all();
    hit_bytes_ = missed_bytes_ = 0;
  }

  [[nodiscard]] uint64_t hit_bytes() const { return hit_bytes_; }
  [[nodiscard]] uint64_t missed_bytes() const { return missed_bytes_; }

 private:
  struct Entry {
    uint64_t offset;
    uint64_t extent;
    uint64_t bytes;
  };

  uint64_t capacity_;
  uint64_t used_ = 0;
  uint64_t hit_bytes_ = 0;
  uint64_t missed_bytes_ = 0;
  std::deque<Entry> entries_;  // most recently used first
};

}  // namespace npuvp::ne
