// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "platform/host/unique_fd.h"

namespace npuvp::host {

/// A private temporary folder for a socket that QEMU takes by path only. A helper process makes it, waits on a socket
/// whose other end dies with us, and removes it: killing npuvp at any moment leaves nothing behind.
class SocketGuard {
 public:
  /// Throws std::system_error.
  SocketGuard();
  /// Removes socket and folder.
  ~SocketGuard();
  SocketGuard(const SocketGuard&) = delete;
  SocketGuard& operator=(const SocketGuard&) = delete;

  /// Where to bind the socket.
  [[nodiscard]] std::string path() const;

  /// Removes socket and folder now: the peer has connected and needs the name no more.
  void remove();

 private:
  std::string folder_;
  UniqueFd life_line_;
  int helper_ = -1;
};

}  // namespace npuvp::host
