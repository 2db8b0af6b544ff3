// SPDX-License-Identifier: Apache-2.0
#include "platform/base/unix_listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace npuvp::host {

UniqueFd listen_at_path(const std::string& path, int backlog) {
  const auto fail = [&path](int error) { throw std::system_error(error, std::generic_category(), path); };
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.size() >= sizeof name.sun_path) fail(ENAMETOOLONG);
  std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // Before anybody can connect: a mode set afterwards would be late.
  const auto mask = ::umask(0177);
  const bool is_bound = socket && ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
  const int error = errno;
  ::umask(mask);
  if (!is_bound) fail(error);
  if (::listen(socket.get(), backlog) != 0) fail(errno);
  return socket;
}

}  // namespace npuvp::host
