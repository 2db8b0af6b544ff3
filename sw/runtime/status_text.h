// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "firmware/abi/command.h"
#include "sw/runtime/device.h"

namespace npuvp::runtime {

/// One line that says how a job ended and, after a fault, which of its commands failed and where:
/// "fault ADDRESS at command 7 (Neural DMA, engine 3), address 0x8100000000000000".
[[nodiscard]] std::string describe(const Completion& completion, std::span<const npu_command> commands);

}  // namespace npuvp::runtime
