// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "platform/base/unique_fd.h"

namespace npuvp::host {

/// A folder with sockets for a hypervisor, which takes them by path only. A helper process makes the folder, waits on a
/// socket whose other end dies with us, and removes what is there: killing npuvp at any moment leaves nothing behind.
class SocketGuard {
 public:
  /// A private temporary folder with sockets of these names. Throws std::system_error.
  explicit SocketGuard(std::vector<std::string> names);
  /// The same in `folder`, which is made if it does not exist, and then removed at the end. Throws config::ConfigError
  /// if the folder cannot be used, another guard has it, or one of the names exists.
  SocketGuard(std::vector<std::string> names, const std::string& folder);
  /// Removes sockets and folder.
  ~SocketGuard();
  SocketGuard(const SocketGuard&) = delete;
  SocketGuard& operator=(const SocketGuard&) = delete;

  /// Where to bind the sockets: absolute, in the order of the names.
  [[nodiscard]] std::vector<std::string> paths() const;

  /// Removes sockets and folder now: the peers have connected and need the names no more.
  void remove();

 private:
  struct Place;

  /// Starts the helper and waits until the folder is there. Returns why it is not, or nothing.
  std::string start(const Place& place);

  std::vector<std::string> names_;
  std::string folder_;
  UniqueFd life_line_;
  int helper_ = -1;
};

}  // namespace npuvp::host
