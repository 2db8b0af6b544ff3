// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "models/ne/command_plan.h"

namespace npuvp::ne {

/// Planes x rows x columns, what an operand's strides step over.
struct Shape {
  uint64_t planes;
  uint64_t rows;
  uint64_t columns;
};

/// Collects the operands of one command and remembers the first thing that is wrong with them.
class OperandCheck {
 public:
  OperandCheck(CommandPlan& plan, uint64_t scratchpad_bytes) : plan_(plan), scratchpad_bytes_(scratchpad_bytes) {}

  /// Every field that is no operand; the first that is false counts.
  void require(bool holds, const char* reason) {
    if (!holds) fail({NPU_FAULT_ILLEGAL_COMMAND, 0}, reason);
  }
  [[nodiscard]] bool ok() const { return plan_.check.ok(); }

  /// What the words of a name say is wrong.
  struct Words {
    const char* name;
    const char* misaligned;
    const char* outside;
  };

  void input(const Words& words, const npu_operand& operand, const Shape& shape, uint32_t type) {
    add(words, operand, shape, type, false);
  }
  /// Rows and planes of an output must not share bytes.
  void output(const Words& words, const npu_operand& operand, const Shape& shape, uint32_t type);

  /// The output (operand 0) apart from the inputs; `in_place`: or exactly one of them.
  void apart(bool in_place);

 private:
  void add(const Words& words, const npu_operand& operand, const Shape& shape, uint32_t type, bool output);
  void fail(const base::CommandOutcome& outcome, const char* reason) {
    if (plan_.check.ok()) plan_.check = {outcome, reason};
  }

  struct Layout {
    npu_operand operand;
    uint64_t row_bytes;
    uint32_t type;
  };

  CommandPlan& plan_;
  uint64_t scratchpad_bytes_;
  std::array<Layout, 4> layouts_{};
  std::array<Shape, 4> shapes_{};
};

}  // namespace npuvp::ne
