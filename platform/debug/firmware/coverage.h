// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/riscv/observer.h"

namespace npuvp::debug::firmware {

/// Counts how often each instruction of some programs is executed, by all harts together, and reports it by source
/// lines. Programs are as they are: no instrumented code.
class Coverage final : public riscv::HartObserver {
 public:
  /// Counts the code of this program, which has debug information, from now on. Throws config::ConfigError.
  void add(const std::string& elf);

  void on_instruction(const riscv::Hart& hart, uint64_t pc, const riscv::Instruction& instruction) override;
  void on_trap(const riscv::Hart& /*hart*/, const riscv::TrapRecord& /*trap*/) override {}

  /// Executions of the instruction at `address`, or nothing if it is no code of ours.
  [[nodiscard]] std::optional<uint64_t> count(uint64_t address) const;

  /// A tracefile of lcov's (geninfo(1), section FILES): lines and functions. A line was executed as often as that block
  /// of it that was executed most. `source_dir` is put before the names of files that are relative. Files that are not
  /// there (a library's) are left out.
  [[nodiscard]] std::string to_lcov(const std::string& source_dir) const;

 private:
  /// Counters of a piece of code, one for every two bytes.
  struct Region {
    uint64_t begin;
    std::vector<uint64_t> counts;

    [[nodiscard]] bool contains(uint64_t address) const {
      return address >= begin && (address - begin) / 2 < counts.size();
    }
  };

  std::vector<std::string> programs_;
  std::vector<Region> regions_;
  size_t last_ = 0;  ///< Region of the last instruction.
};

}  // namespace npuvp::debug::firmware
