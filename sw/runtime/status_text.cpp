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
  switch (fault) {
    case NPU_FAULT_NONE:
      return "NONE";
    case NPU_FAULT_ILLEGAL_COMMAND:
      return "ILLEGAL_COMMAND";
    case NPU_FAULT_ADDRESS:
      return "ADDRESS";
    case NPU_FAULT_PERMISSION:
      return "PERMISSION";
    case NPU_FAULT_BUS:
      return "BUS";
    case NPU_FAULT_POISON:
      return "POISON";
    case NPU_FAULT_DEADLOCK:
      return "DEADLOCK";
    case NPU_FAULT_FETCH:
      return "FETCH";
    case NPU_FAULT_TRANSLATION:
      return "TRANSLATION";
    case NPU_FAULT_CANCELLED:
      return "CANCELLED";
    case NPU_FAULT_SYNC_TIMEOUT:
      return "SYNC_TIMEOUT";
    case NPU_FAULT_HANG:
      return "HANG";
    case NPU_FAULT_ENGINE_STUCK:
      return "ENGINE_STUCK";
    default:
      return "code " + std::to_string(fault);
  }
}

std::string kind_name(uint32_t kind) {
  static constexpr std::array kNames{"kind 0",        "Neural Engine", "Neural DMA",  "Task DMA",
                                     "External HDMA", "Device HDMA",   "Device Sync", "control"};
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
