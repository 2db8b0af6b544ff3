// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "platform/config/noc_config.h"
#include "platform/config/yaml_reader.h"

namespace npuvp::config {

/// Names of the NoC's ports in board files, registers (numbers in this order) and reports.
inline constexpr std::array kNocInitiatorNames{
    "command_processor", "task_manager", "external_hdma", "neural_dma", "task_dma", "device_hdma",
    "device_sync",       "aperture",     "log_manager",   "cp_dma",     "mmu"};
/// The same of targets; behind them one scratchpad an engine: "scratchpad0" and so on.
inline constexpr std::array kNocTargetNames{"dram", "shared_memory", "tcm", "host"};

/// Reads `noc:` of a card with `engines` Neural Engines. Errors: ConfigError.
NocConfig read_noc(YamlReader reader, uint32_t engines);

}  // namespace npuvp::config
