// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "platform/base/unique_fd.h"

namespace npuvp::host::vfio_user {

/// A listening UNIX socket. Its name goes away with it.
class ListeningSocket {
 public:
  /// `path` must not exist, and its folder should admit this user only: whoever connects gets the device. Throws
  /// std::system_error, naming the path.
  explicit ListeningSocket(std::string path);
  ~ListeningSocket();
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;

  /// For QEMU's command line.
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Readable when a client waits.
  [[nodiscard]] int fd() const { return socket_.get(); }

  /// The client that waits, or nothing.
  [[nodiscard]] UniqueFd accept();

 private:
  std::string path_;
  UniqueFd socket_;
};

}  // namespace npuvp::host::vfio_user
