// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace npuvp::riscv {

/// A little-endian RV64 ELF executable: what a test needs of it.
struct ElfProgram {
  struct Segment {
    uint64_t address = 0;
    std::vector<uint8_t> bytes;  ///< Without what is only zero-filled.
  };

  /// Throws std::runtime_error with the reason for a file that is not such an executable.
  static ElfProgram load(const std::string& path);

  uint64_t entry = 0;
  uint64_t tohost = 0;    ///< Address of the symbol `tohost`, 0 without one.
  uint64_t fromhost = 0;  ///< Likewise.
  std::vector<Segment> segments;
};

}  // namespace npuvp::riscv
