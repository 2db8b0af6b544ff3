// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "platform/host/qemu/qemu_process.h"

namespace npuvp::host {

/// A guest that runs one command: speaks the protocol of guest/init over QEMU's ports. The owner waits for the
/// descriptors and calls the matching function when one is readable; nothing here blocks.
class GuestSession {
 public:
  struct Callbacks {
    std::function<void(std::string_view name)> on_stage;    ///< kernel, driver, driver-failed, ready
    std::function<void(std::string_view bytes)> on_stdout;  ///< Of the command.
    std::function<void(std::string_view bytes)> on_stderr;
  };

  /// `command` is one line for the guest's shell; it is sent at once and waits in the port until the guest reads it.
  GuestSession(QemuProcess& qemu, const std::string& command, Callbacks callbacks);

  void read_status();
  void read_stdout() { pass_on(qemu_.stdout_fd(), callbacks_.on_stdout); }
  void read_stderr() { pass_on(qemu_.stderr_fd(), callbacks_.on_stderr); }
  void read_messages() { keep(qemu_.messages_fd(), messages_); }
  void read_console() { keep(qemu_.console_fd(), console_); }
  /// Everything that is still in the ports; after the guest has gone.
  void drain();

  /// Exit status of the command, once it has ended.
  [[nodiscard]] std::optional<int> exit_status() const { return exit_status_; }
  /// The last of what QEMU and the guest's console said, for a failure's message.
  [[nodiscard]] std::string last_words() const;

 private:
  static void pass_on(int fd, const std::function<void(std::string_view)>& sink);
  static void keep(int fd, std::string& text);
  void take_status_line(std::string_view line);

  QemuProcess& qemu_;
  Callbacks callbacks_;
  std::string status_;  // an incomplete line
  std::string messages_;
  std::string console_;
  std::optional<int> exit_status_;
};

/// `words` as one line for a shell, each word quoted.
[[nodiscard]] std::string shell_line(const std::vector<std::string>& words);

}  // namespace npuvp::host
