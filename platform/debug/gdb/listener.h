// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "platform/base/event_loop.h"
#include "platform/base/unique_fd.h"
#include "platform/debug/gdb/session.h"

namespace npuvp::debug::gdb {

/// Where debuggers connect to: a TCP port of this machine alone, or a UNIX socket of this user's.
///
/// Works inside somebody else's poll loop and never blocks it. One debugger at a time: another one's connection is
/// closed at once. One that does not read its answers is dropped; the target runs on then.
class Listener {
 public:
  /// `place`: a port number, 0 for any free one, or a path with a '/' in it that does not exist yet. Listens from now
  /// on. Throws config::ConfigError that names option --gdb.
  Listener(const std::string& place, host::EventLoop loop, Target& target);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// What GDB's command `target remote` takes.
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] bool attached() const { return session_ != nullptr; }
  /// Called when a debugger has gone, whether it said so or not.
  void on_detach(std::function<void()> handler) { on_detach_ = std::move(handler); }

 private:
  void accept_debugger();
  void serve();
  void send(std::string_view bytes);
  void drop();

  host::EventLoop loop_;
  Target& target_;
  std::string path_;  ///< Of a UNIX socket.
  std::string address_;
  host::UniqueFd socket_;
  host::UniqueFd debugger_;
  std::unique_ptr<Session> session_;
  std::function<void()> on_detach_;
  bool deaf_ = false;  ///< The debugger does not take what it is sent.
};

}  // namespace npuvp::debug::gdb
