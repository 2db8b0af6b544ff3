// SPDX-License-Identifier: Apache-2.0
#include "sw/runtime/status_text.h"

#include <array>
#include <cstdio>

#include "firmware/abi/status.h"

namespace npuvp::runtime {
namespace {

template <size_t kCount>
std::string name_in(const std::array<const char*, kCount>& names, uint32_t code) {
  if (code < kCount) {
    return names[code];
  }
  std::string text = "code ";
  text += std::to_string(code);
  return text;
}

std::string status_name(uint32_t status) {
  static constexpr std::array kNames{"completed", "refused: the submission is malformed", "fault", "timed out",
                                     "aborted"};
  return name_in(kNames, status);
}

std::string fault_name(uint32_t fault) {
  static constexpr std::array kNames{"NONE",   "ILLEGAL_COMMAND", "ADDRESS", "PERMISSION", "BUS",
                                     "POISON", "DEADLOCK",        "FETCH",   "TRANSLATION"};
  return name_in(kNames, fault);
}

std::string kind_name(uint32_t kind) {
  static constexpr std::array kNames{"kind 0",        "Neural Engine", "Neural DMA", "Task DMA",
                                     "External HDMA", "Device HDMA",   "Device Sync"};
  return name_in(kNames, kind);
}

}  // namespace

std::string describe(const Completion& completion, std::span<const npu_command> commands) {
  std::string text = status_name(completion.status);
  if (completion.status != NPU_JOB_FAULT) {
    return text + " after " + std::to_string(completion.commands) + " of " + std::to_string(commands.size()) +
           " commands";
  }
  text.append(" ").append(fault_name(completion.fault)).append(" at command ");
  text += std::to_string(completion.fault_command);
  if (completion.fault_command < commands.size()) {
    const npu_command& command = commands[completion.fault_command];
    text += " (" + kind_name(command.kind) + ", engine " + std::to_string(command.engine) + ")";
  }
  std::array<char, 32> address;
  std::snprintf(address.data(), address.size(), ", address 0x%llx",
                static_cast<unsigned long long>(completion.fault_address));
  return text + address.data();
}

}  // namespace npuvp::runtime
