// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "models/riscv/instruction.h"
#include "models/riscv/privilege.h"

namespace npuvp::riscv {

class Hart;

/// A trap as it is taken.
struct TrapRecord {
  uint64_t cause = 0;  ///< As in mcause: bit 63 for an interrupt.
  uint64_t value = 0;  ///< As in mtval.
  uint64_t pc = 0;     ///< As in mepc.
  uint64_t handler = 0;
  Privilege from = Privilege::kMachine;
};

/// Sees what a hart does; a hart without an observer pays nothing for this.
class HartObserver {
 public:
  virtual ~HartObserver() = default;
  /// Before the instruction at `pc` is executed; the hart's registers are those it will read.
  virtual void on_instruction(const Hart& hart, uint64_t pc, const Instruction& instruction) = 0;
  virtual void on_trap(const Hart& hart, const TrapRecord& trap) = 0;
  /// The hart starts anew at its reset pc.
  virtual void on_reset(const Hart& /*hart*/) {}
};

}  // namespace npuvp::riscv
