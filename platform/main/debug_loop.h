// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <systemc>
#include <vector>

#include "platform/base/event_loop.h"
#include "platform/base/unique_fd.h"
#include "platform/debug/gdb/card_debugger.h"

namespace npuvp::main {

/// Main loop of an in-process platform that somebody looks into: serves descriptors beside the simulation, as
/// host::VfioUserHost does with a guest. Simulated time stands still while `holds` says so, for host and card alike, so
/// that the firmware sees the same times however long somebody looks. An idle platform sleeps in poll().
class DebugLoop final : public sc_core::sc_module {
 public:
  explicit DebugLoop(sc_core::sc_module_name name);

  [[nodiscard]] host::EventLoop descriptors();
  void hold_while(std::function<bool()> holds) { holds_ = std::move(holds); }
  /// The simulation ends at this simulated time at the latest.
  void end_at(sc_core::sc_time limit);
  /// Ends the simulation; in a process of it.
  void end();
  /// The simulation ends when nothing is left to happen in it.
  void end_when_idle() { ends_when_idle_ = true; }
  /// To be looked at now: something may hold the simulation.
  void wake() { wake_.notify(); }

  [[nodiscard]] bool time_is_over() const { return time_is_over_; }
  /// SIGINT, SIGTERM or SIGHUP came.
  [[nodiscard]] bool interrupted() const { return interrupted_; }

 private:
  struct Watch {
    int fd;
    std::function<void()> callback;
  };

  void serve();
  void poll(bool may_block);
  void watch_signals();

  std::vector<Watch> watches_;
  std::function<bool()> holds_;
  std::optional<sc_core::sc_time> limit_;
  sc_core::sc_event wake_;
  host::UniqueFd signals_;
  bool ending_ = false;
  bool ends_when_idle_ = false;
  bool time_is_over_ = false;
  bool interrupted_ = false;
};

/// Says on stderr how a debugger comes to the card.
void announce_debugger(const debug::gdb::CardDebugger& debugger);

}  // namespace npuvp::main
