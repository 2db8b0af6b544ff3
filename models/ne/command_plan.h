// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "firmware/abi/command.h"
#include "models/ne/command_check.h"

namespace npuvp::ne {

/// Which of the engine's units does a command.
enum class Unit : uint8_t { kTensor, kVector, kTranspose };

/// A stretch of the scratchpad that a command reads or writes.
struct Operand {
  const char* name = "";
  uint64_t offset = 0;   ///< First byte.
  uint64_t extent = 0;   ///< Bytes from the first to the last one, with the gaps between rows.
  uint64_t unique = 0;   ///< Bytes without the gaps, rows and planes that repeat counted once.
  uint64_t traffic = 0;  ///< The same with repeated ones counted as often as the unit takes them.
  bool output = false;
};

/// What a command is to the engine once all of its fields have been checked. Not for GEMM and VECTOR, whose checks are
/// in command_check.h.
struct CommandPlan {
  CommandCheck check;  ///< Nothing else holds if it is not ok().
  Unit unit = Unit::kVector;
  std::array<Operand, 4> operands{};  ///< In the order of the command's fields, output first.
  unsigned operand_count = 0;
  uint64_t groups = 0;      ///< Groups of lanes that pass the unit: planes x rows x ceil(columns / lanes).
  unsigned passes = 1;      ///< Cycles that each of them takes.
  uint64_t operations = 0;  ///< Element operations, for energy.

  [[nodiscard]] std::span<const Operand> all() const { return {operands.data(), operand_count}; }
};

/// Checks every field of a command from CONVOLUTION on against firmware/abi/command.h and a scratchpad of the given
/// size: types, shapes, alignment, overlaps, reserved zeros (NPU_FAULT_ILLEGAL_COMMAND), operands inside the scratchpad
/// (NPU_FAULT_ADDRESS with the operand's address). `lanes` > 0 is the width of the vector unit.
[[nodiscard]] CommandPlan plan_command(const npu_command& command, uint64_t scratchpad_bytes, unsigned lanes);

}  // namespace npuvp::ne
