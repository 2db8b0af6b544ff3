// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "models/base/sparse_memory.h"

namespace npuvp::flash {

/// The cells of a NOR flash: ones when erased. In memory, where erased pages cost nothing, or in a file that is mapped:
/// what was written is in the file at once, also if the process is killed.
class NorContent {
 public:
  /// A `file` that does not exist is made, erased. Throws base::FileError if it has another size than `bytes`, is in
  /// use by another flash, or cannot be mapped.
  NorContent(uint64_t bytes, const std::string& file);
  ~NorContent();
  NorContent(const NorContent&) = delete;
  NorContent& operator=(const NorContent&) = delete;

  [[nodiscard]] uint64_t size() const { return bytes_; }
  [[nodiscard]] uint8_t at(uint64_t offset) const { return static_cast<uint8_t>(cells_[offset] ^ inverted_); }
  void set(uint64_t offset, uint8_t value) { cells_[offset] = static_cast<uint8_t>(value ^ inverted_); }
  /// All ones in [offset, offset + bytes), which lies inside.
  void erase(uint64_t offset, uint64_t bytes);

 private:
  void map_file(const std::string& file);

  uint64_t bytes_;
  std::unique_ptr<base::SparseMemory> memory_;  // without a file; holds the complement, so that erased is untouched
  uint8_t* cells_ = nullptr;
  uint8_t inverted_ = 0;
  int descriptor_ = -1;
};

}  // namespace npuvp::flash
