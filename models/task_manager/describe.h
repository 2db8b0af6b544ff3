// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "firmware/abi/command.h"
#include "models/base/trace.h"

namespace npuvp::task_manager {

// What traces and figures say of a command.

/// That a DMA command writes, as far as the command itself tells; 0 for a chain and for other kinds.
[[nodiscard]] uint64_t dma_bytes(const npu_command& command);
[[nodiscard]] std::string_view title_of(const npu_command& command);
[[nodiscard]] base::TraceArguments arguments_of(const npu_command& command, uint32_t index);

}  // namespace npuvp::task_manager
