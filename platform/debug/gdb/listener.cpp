// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/gdb/listener.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>
#include <utility>

#include "platform/base/unix_listener.h"
#include "platform/config/config_error.h"

namespace npuvp::debug::gdb {
namespace {

constexpr size_t kReadBytes = 4096;
constexpr int kBacklog = 4;

[[noreturn]] void fail(const std::string& place, int error) {
  const char* remedy = error == EADDRINUSE     ? "give another one; for a path, remove it if no npuvp uses it"
                       : error == ENAMETOOLONG ? "give a shorter path"
                       : error == EACCES       ? "give a port from 1024 on, or a path in a writable folder"
                                               : "give a free port, or a path in a writable folder";
  throw config::ConfigError(fmt::format("--gdb {}: {}; {}", place, std::strerror(error), remedy));
}

uint16_t port_of(const std::string& place) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(place.data(), place.data() + place.size(), port);
  if (error != std::errc{} || end != place.data() + place.size()) {
    throw config::ConfigError(fmt::format("--gdb {}: neither a port from 0 to 65535 nor a path with a '/'", place));
  }
  return port;
}

host::UniqueFd listen_at_port(const std::string& place, std::string& address) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port_of(place));
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  host::UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  socklen_t length = sizeof name;
  if (!socket || ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
      ::listen(socket.get(), kBacklog) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&name), &length) != 0) {
    fail(place, errno);
  }
  address = fmt::format("localhost:{}", ntohs(name.sin_port));
  return socket;
}

host::UniqueFd listen_at_path(const std::string& path) {
  try {
    return host::listen_at_path(path, kBacklog);
  } catch (const std::system_error& error) {
    fail(path, error.code().value());
  }
}

}  // namespace

Listener::Listener(const std::string& place, host::EventLoop loop, Target& target)
    : loop_(std::move(loop)), target_(target) {
  if (place.find('/') == std::string::npos) {
    socket_ = listen_at_port(place, address_);
  } else {
    socket_ = listen_at_path(place);
    path_ = address_ = place;
  }
  loop_.watch(socket_.get(), [this] { accept_debugger(); });
}

Listener::~Listener() {
  if (session_) {
    loop_.unwatch(debugger_.get());
    session_.reset();
  }
  loop_.unwatch(socket_.get());
  if (!path_.empty()) ::unlink(path_.c_str());
}

void Listener::accept_debugger() {
  host::UniqueFd socket(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket || session_) return;
  const int on = 1;  // many small packets, each waited for; a UNIX socket refuses and does not need it
  (void)::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  debugger_ = std::move(socket);
  deaf_ = false;
  session_ = std::make_unique<Session>(target_, [this](std::string_view bytes) { send(bytes); });
  loop_.watch(debugger_.get(), [this] { serve(); });
}

void Listener::serve() {
  std::array<char, kReadBytes> buffer;
  const auto count = ::recv(debugger_.get(), buffer.data(), buffer.size(), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  const bool goes_on = count > 0 && session_->receive({buffer.data(), static_cast<size_t>(count)});
  if (!goes_on || deaf_) drop();
}

/// May be called from anywhere in the simulation: the connection is closed in serve() only.
void Listener::send(std::string_view bytes) {
  if (deaf_) return;
  const auto count = ::send(debugger_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (count == static_cast<ssize_t>(bytes.size())) return;
  deaf_ = true;
  ::shutdown(debugger_.get(), SHUT_RDWR);  // makes it readable for the loop
}

void Listener::drop() {
  loop_.unwatch(debugger_.get());
  session_.reset();
  debugger_.reset();
  if (on_detach_) on_detach_();
}

}  // namespace npuvp::debug::gdb
