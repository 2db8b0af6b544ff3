// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/models/riscv/lockstep/record.h"

namespace npuvp::riscv::test {

/// QEMU running a flat image with the trace plugin; gives the state before each instruction.
class Reference {
 public:
  /// `emulator` is a qemu-system-riscv64 of version 9 or later. Throws std::runtime_error when it cannot be started.
  Reference(const std::string& emulator, const std::string& plugin, const std::vector<uint8_t>& image);
  ~Reference();
  Reference(const Reference&) = delete;
  Reference& operator=(const Reference&) = delete;

  /// To the next instruction; false when the emulator has ended.
  [[nodiscard]] bool next();
  [[nodiscard]] uint64_t pc() const { return pc_; }
  /// By index of record.h.
  [[nodiscard]] const std::array<uint64_t, RECORD_REGISTERS>& registers() const { return registers_; }
  /// What the emulator said, for messages.
  [[nodiscard]] std::string log() const;

 private:
  std::filesystem::path folder_;
  std::FILE* stream_ = nullptr;
  pid_t process_ = -1;
  uint64_t pc_ = 0;
  std::array<uint64_t, RECORD_REGISTERS> registers_{};
};

}  // namespace npuvp::riscv::test
