// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "firmware/abi/command.h"
#include "models/base/command_port.h"

namespace npuvp::dma {

/// Checks what can be told of a command from its fields alone: that it belongs to channel `channel` of the engine of
/// `kind`, opcode, reserved fields, sizes, types, address arithmetic, and the spaces that the kind may join.
/// ILLEGAL_COMMAND, or ADDRESS for an unknown space or a transfer that leaves its space.
[[nodiscard]] base::CommandOutcome check_command(const npu_command& command, npu_command_kind kind, unsigned channel);

/// The same for one descriptor of a chain that such a command has started.
[[nodiscard]] base::CommandOutcome check_descriptor(const npu_dma_descriptor& descriptor, npu_command_kind kind);

/// True if `address` names a space in which an engine of `kind` finds descriptors and index lists.
[[nodiscard]] bool reaches(npu_command_kind kind, uint64_t address);

}  // namespace npuvp::dma
