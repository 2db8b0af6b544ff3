// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "platform/base/unique_fd.h"
#include "platform/debug/gdb/card_debugger.h"
#include "platform/debug/monitor.h"
#include "platform/debug/monitor_socket.h"
#include "platform/host/qemu/socket_guard.h"
#include "platform/host/vfio_user/vfio_user_host.h"
#include "platform/main/options.h"
#include "platform/main/session.h"

namespace npuvp::main {

/// A platform that a hypervisor can connect to, and its main loop: what demo, qemu and serve share.
class AttachedPlatform {
 public:
  /// For one hypervisor, with sockets in a private temporary folder; the simulation ends with it. Errors:
  /// config::ConfigError, std::system_error.
  explicit AttachedPlatform(const AttachOptions& options);
  /// For any number, one after the other, with sockets in `folder`. Errors: config::ConfigError.
  AttachedPlatform(const AttachOptions& options, const std::string& folder);

  [[nodiscard]] Session& session() { return session_; }
  [[nodiscard]] host::VfioUserHost& host() { return host_; }
  /// By which QEMU has the cards.
  [[nodiscard]] const std::vector<std::string>& card_arguments() const { return card_arguments_; }

  /// From now on SIGINT, SIGTERM and SIGHUP end the simulation in order.
  void watch_signals();
  /// One of them came.
  [[nodiscard]] bool interrupted() const { return interrupted_; }

 private:
  void attach(const AttachOptions& options);
  void open_monitor(const std::string& path);
  void open_debugger(const DebugOptions& options);
  [[nodiscard]] host::EventLoop loop();

  Session session_;
  host::SocketGuard sockets_;
  host::VfioUserHost host_;
  std::vector<std::string> card_arguments_;
  std::optional<debug::Monitor> monitor_;
  std::optional<debug::MonitorSocket> monitor_socket_;
  std::optional<debug::gdb::CardDebugger> debugger_;
  host::UniqueFd signals_;
  bool interrupted_ = false;
};

}  // namespace npuvp::main
