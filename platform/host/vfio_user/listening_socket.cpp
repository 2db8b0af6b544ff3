// SPDX-License-Identifier: Apache-2.0
#include "platform/host/vfio_user/listening_socket.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace npuvp::host::vfio_user {
ListeningSocket::ListeningSocket(std::string path) : path_(std::move(path)) {
  const auto fail = [this](int error) {
    throw std::system_error(error, std::generic_category(), "cannot listen on the socket " + path_);
  };
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path) fail(ENAMETOOLONG);
  std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
  socket_ = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  if (!socket_ || ::bind(socket_.get(), name, sizeof address) != 0 || ::listen(socket_.get(), 1) != 0) fail(errno);
}

ListeningSocket::~ListeningSocket() {
  ::unlink(path_.c_str());
}

UniqueFd ListeningSocket::accept() {
  return UniqueFd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
}

}  // namespace npuvp::host::vfio_user
