// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <termios.h>

#include <deque>
#include <functional>
#include <optional>

#include "models/uart/uart.h"
#include "platform/base/event_loop.h"

namespace npuvp::main {

/// Standard input as the line to a card's UART. What the UART has no room for waits here. A terminal gives every key to
/// the firmware, Ctrl-C too, until Ctrl-A x; Ctrl-A Ctrl-A is Ctrl-A itself (the keys of QEMU's serial console).
class Terminal {
 public:
  /// `on_end`: Ctrl-A x was typed, or the input is at its end.
  Terminal(uart::Uart& uart, host::EventLoop descriptors, std::function<void(bool at_end_of_input)> on_end);
  /// The terminal is as it was before.
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

 private:
  void read_input();
  void take(char key);
  void feed();
  void stop(bool at_end_of_input);

  uart::Uart& uart_;
  host::EventLoop descriptors_;
  std::function<void(bool)> on_end_;
  std::optional<termios> before_;  ///< Of a terminal.
  std::deque<char> waiting_;       ///< For room in the UART.
  bool after_escape_ = false;      ///< Ctrl-A was the last key.
  bool stopped_ = false;
};

}  // namespace npuvp::main
