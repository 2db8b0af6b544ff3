// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "models/dram/part.h"

namespace npuvp::dram {

enum class CommandKind : uint8_t {
  kActivate,
  kPrecharge,
  kPrechargeAll,
  kRead,
  kReadA,
  kWrite,
  kWriteA,
  kRefreshAll,
  kRefreshBank
};

/// Where in a channel a transaction lies. Fields that a command does not have are 0.
struct Location {
  uint32_t row = 0;
  uint32_t column = 0;
  uint16_t bank = 0;  ///< In its bank group.
  uint16_t bank_group = 0;
  uint16_t stack_id = 0;
  uint16_t pseudo_channel = 0;
};

/// One command on a channel's command bus.
struct Command {
  Tick time;  ///< First tick of the command.
  CommandKind kind;
  Location where;
};

/// Sees every command that a controller issues, in order of time.
class CommandSink {
 public:
  virtual ~CommandSink() = default;
  virtual void on_command(const Command& command) = 0;
};

}  // namespace npuvp::dram
