// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/base/environment.h"
#include "models/base/register_bank.h"

namespace npuvp::debug::gdb {

/// Shows register banks decoded to fields, for people. Values are what a read would give; nothing is changed by
/// looking.
class RegisterView {
 public:
  /// `scope`: SystemC name of the module whose blocks are shown, for example "server.card0".
  RegisterView(const base::Environment& environment, std::string scope)
      : environment_(environment), scope_(std::move(scope)) {}

  /// Names of all blocks in `scope`, one a line.
  [[nodiscard]] std::string list() const;
  /// The block of this name below the scope with all banks it has, for example "task_dma" or "mailbox.host"; else,
  /// where `name` is KIND and a number N, the block KIND_N, or the N-th one with KIND in its name, for example "dma0".
  /// A line that says so if there is none.
  [[nodiscard]] std::string show(std::string_view name) const;

 private:
  [[nodiscard]] std::string_view short_name(const base::RegisterBank& bank) const;
  [[nodiscard]] std::vector<const base::RegisterBank*> banks() const;
  [[nodiscard]] std::vector<const base::RegisterBank*> find(std::string_view name) const;

  const base::Environment& environment_;
  std::string scope_;
};

}  // namespace npuvp::debug::gdb
