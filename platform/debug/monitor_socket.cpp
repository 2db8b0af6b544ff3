// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/monitor_socket.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "platform/base/unix_listener.h"
#include "platform/config/config_error.h"

namespace npuvp::debug {
namespace {

/// Lines answered at one go: a peer that sends without end must not keep the platform from running.
constexpr int kLinesInARow = 64;

host::UniqueFd listen_at(const std::string& path) {
  try {
    return host::listen_at_path(path, static_cast<int>(MonitorSocket::kMostPeers));
  } catch (const std::system_error& error) {
    const int number = error.code().value();
    const char* remedy = number == EADDRINUSE     ? "if no npuvp uses it, remove it"
                         : number == ENAMETOOLONG ? "give a shorter path"
                                                  : "give a path in a writable folder";
    throw config::ConfigError(fmt::format("--monitor {}: {}; {}", path, std::strerror(number), remedy));
  }
}

}  // namespace

MonitorSocket::MonitorSocket(const std::string& path, host::EventLoop loop, Answer answer)
    : path_(path), loop_(std::move(loop)), answer_(std::move(answer)), socket_(listen_at(path)) {
  loop_.watch(socket_.get(), [this] { accept_peer(); });
}

MonitorSocket::~MonitorSocket() {
  for (const auto& peer : peers_) loop_.unwatch(peer.socket.get());
  loop_.unwatch(socket_.get());
  ::unlink(path_.c_str());
}

void MonitorSocket::accept_peer() {
  host::UniqueFd socket(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket) return;
  if (peers_.size() == kMostPeers) {
    send({std::move(socket), ""}, R"({"error":"too many peers; close another one first"})");
    return;
  }
  peers_.push_back({std::move(socket), ""});
  const auto peer = std::prev(peers_.end());
  loop_.watch(peer->socket.get(), [this, peer] { serve(peer); });
}

void MonitorSocket::serve(std::list<Peer>::iterator peer) {
  std::array<char, kMostLineBytes> buffer;
  const auto count = ::recv(peer->socket.get(), buffer.data(), buffer.size(), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) return drop(peer);
  peer->received.append(buffer.data(), static_cast<size_t>(count));
  if (!answer_lines(*peer)) drop(peer);
}

bool MonitorSocket::answer_lines(Peer& peer) {
  size_t begin = 0;
  int lines = 0;
  for (size_t end = peer.received.find('\n'); end != std::string::npos; end = peer.received.find('\n', begin)) {
    if (++lines > kLinesInARow) {
      send(peer, R"({"error":"too many lines at once; wait for the answers"})");
      return false;
    }
    if (!send(peer, answer_(std::string_view(peer.received).substr(begin, end - begin)))) return false;
    begin = end + 1;
  }
  peer.received.erase(0, begin);
  if (peer.received.size() < kMostLineBytes) return true;
  send(peer, fmt::format(R"({{"error":"a line of more than {} bytes"}})", kMostLineBytes));
  return false;
}

bool MonitorSocket::send(const Peer& peer, const std::string& line) {
  const std::string bytes = line + "\n";
  const auto count = ::send(peer.socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return count == static_cast<ssize_t>(bytes.size());
}

void MonitorSocket::drop(std::list<Peer>::iterator peer) {
  loop_.unwatch(peer->socket.get());
  peers_.erase(peer);
}

}  // namespace npuvp::debug
