// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "firmware/abi/command.h"
#include "models/base/command_port.h"
#include "models/base/tensor_core_port.h"

namespace npuvp::ne {

/// Result of checking a command: the fault that the hardware reports and a sentence for the log.
struct CommandCheck {
  base::CommandOutcome outcome;
  const char* reason = "";

  [[nodiscard]] bool ok() const { return outcome.ok(); }
};

/// Checks every field of a GEMM against firmware/abi/command.h, a scratchpad of the given size and what the tensor core
/// can: types, shape,
/// alignment, reserved zeros (NPU_FAULT_ILLEGAL_COMMAND), extents inside the scratchpad (NPU_FAULT_ADDRESS with the
/// operand's address), C apart from A and B, rows of C apart from each other (NPU_FAULT_ILLEGAL_COMMAND).
/// The extent of an operand reaches from the first byte of its first row to the last byte of its last row.
[[nodiscard]] CommandCheck check_gemm(const npu_gemm& gemm, uint64_t scratchpad_bytes,
                                      const base::TensorCoreIdentification& core);

/// The same for a VECTOR command. OUT may be exactly IN (same offset, stride and element size), otherwise it must be
/// apart from IN, bias and scale. Offsets whose stage is off are not used and not checked.
[[nodiscard]] CommandCheck check_vector(const npu_vector& vector, uint64_t scratchpad_bytes);

}  // namespace npuvp::ne
