// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "models/riscv/hart.h"
#include "models/riscv/observer.h"
#include "platform/debug/firmware/call_tracker.h"

namespace npuvp::debug::firmware {

/// Writes each instruction as a line: simulated time, hart, pc, bits, operation with its operands, and the integer or
/// floating-point register that it changed with the new value.
class InstructionTrace final : public riscv::HartObserver {
 public:
  /// `out` is not closed.
  InstructionTrace(std::FILE* out, const FunctionTable& functions, unsigned harts, CallTracker::TimeSource time);

  void on_instruction(const riscv::Hart& hart, uint64_t pc, const riscv::Instruction& instruction) override;
  void on_trap(const riscv::Hart& hart, const riscv::TrapRecord& trap) override;
  void on_reset(const riscv::Hart& hart) override;
  /// Writes what is still to come of the last instructions.
  void finish();

  /// "addi x10, x2, 16": name of the operation with the operands that it has.
  [[nodiscard]] static std::string describe(const riscv::Instruction& instruction);

 private:
  struct HartState {
    std::string line;  ///< Of the instruction before, without what it changed.
    std::array<uint64_t, 32> x{};
    std::array<uint64_t, 32> f{};
    const riscv::Hart* hart = nullptr;
  };
  void complete(HartState& state);

  std::FILE* out_;
  const FunctionTable& functions_;
  CallTracker::TimeSource time_;
  std::vector<HartState> states_;
};

}  // namespace npuvp::debug::firmware
