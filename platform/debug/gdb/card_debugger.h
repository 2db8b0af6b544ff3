// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "models/base/environment.h"
#include "platform/assembly/card.h"
#include "platform/base/event_loop.h"
#include "platform/debug/gdb/cluster_target.h"
#include "platform/debug/gdb/listener.h"
#include "platform/debug/gdb/register_view.h"

namespace npuvp::debug::gdb {

struct Options {
  std::string place;  ///< As for Listener.
  bool break_at_reset = false;
};

/// A debugger's access to one card: its harts, its memory, and the commands behind GDB's `monitor`. The host sees a
/// card whose firmware does not answer while it is halted, and nothing else.
class CardDebugger {
 public:
  /// Between construction of the platform and the start of the simulation; outlived by both. Throws
  /// config::ConfigError if it cannot listen, or the card's fuses close debug access.
  CardDebugger(const base::Environment& environment, assembly::Card& card, const Options& options,
               host::EventLoop loop);

  [[nodiscard]] const std::string& address() const { return listener_.address(); }
  /// The card waits for a debugger or for its commands.
  [[nodiscard]] bool holds_card() const { return target_.all_halted(); }
  void on_stop(std::function<void()> handler) { target_.on_stop(std::move(handler)); }
  void on_detach(std::function<void()> handler) { listener_.on_detach(std::move(handler)); }

  /// One line of GDB's command `monitor`; to be called in a process of the simulation. The answer is for people.
  [[nodiscard]] std::string monitor(std::string_view line);

 private:
  struct Command {
    const char* usage;
    const char* name;
    const char* description;
    std::string (CardDebugger::*action)(std::string_view argument);
  };
  static const std::vector<Command>& commands();

  std::string help(std::string_view argument);
  std::string reset(std::string_view argument);
  std::string regs(std::string_view argument);
  std::string halt(std::string_view argument);
  std::string time(std::string_view argument);

  assembly::Card& card_;
  RegisterView registers_;
  ClusterTarget target_;
  Listener listener_;
};

}  // namespace npuvp::debug::gdb
