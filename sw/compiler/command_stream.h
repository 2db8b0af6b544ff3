// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "firmware/abi/command.h"

namespace npuvp::compiler {

/// "This and everything before it on the same token has finished"; default: nothing to wait for.
struct Event {
  uint16_t token = NPU_TOKEN_NONE;
  uint16_t count = 0;
};

/// Where a command runs and how it is ordered.
struct Dispatch {
  uint8_t kind;  ///< enum npu_command_kind
  uint8_t engine;
  uint32_t tag;                        ///< For profilers.
  std::initializer_list<Event> waits;  ///< At most NPU_TOKEN_WAITS.
  uint16_t signal = NPU_TOKEN_NONE;
};

/// Builds a command stream and counts the tokens: each function appends one command and returns the event that its
/// signal token has counted it. Errors: std::length_error beyond NPU_MAX_COMMAND_BYTES or a token's count.
class CommandStream {
 public:
  Event copy(const Dispatch& dispatch, uint64_t source, uint64_t destination, uint32_t bytes);
  Event gemm(const Dispatch& dispatch, const npu_gemm& gemm);
  Event vector(const Dispatch& dispatch, const npu_vector& vector);

  [[nodiscard]] std::vector<npu_command> take() { return std::move(commands_); }

 private:
  npu_command& append(const Dispatch& dispatch, uint8_t opcode);
  Event signal(const Dispatch& dispatch);

  std::vector<npu_command> commands_;
  std::array<uint16_t, NPU_TOKENS> counts_{};
};

}  // namespace npuvp::compiler
