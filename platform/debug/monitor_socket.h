// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "platform/base/event_loop.h"
#include "platform/base/unique_fd.h"

namespace npuvp::debug {

/// A UNIX socket for lines of text: each line that a peer sends is answered by one line. Works inside somebody else's
/// poll loop and never blocks it. Peers are not trusted: lines are at most 4 KiB, there are at most 8 peers, and a
/// peer that does not read its answers is dropped.
class MonitorSocket {
 public:
  /// Gets a line without its end, returns the answer without one.
  using Answer = std::function<std::string(std::string_view line)>;

  static constexpr size_t kMostLineBytes = 4096;
  static constexpr size_t kMostPeers = 8;

  /// Listens from now on, for this user only. Throws config::ConfigError if `path` exists or cannot be made; the name
  /// goes away with the object.
  MonitorSocket(const std::string& path, host::EventLoop loop, Answer answer);
  ~MonitorSocket();
  MonitorSocket(const MonitorSocket&) = delete;
  MonitorSocket& operator=(const MonitorSocket&) = delete;

 private:
  struct Peer {
    host::UniqueFd socket;
    std::string received;  // less than a line
  };

  void accept_peer();
  void serve(std::list<Peer>::iterator peer);
  /// Answers what is complete; false if the peer is to be dropped.
  bool answer_lines(Peer& peer);
  static bool send(const Peer& peer, const std::string& line);
  void drop(std::list<Peer>::iterator peer);

  const std::string path_;
  host::EventLoop loop_;
  Answer answer_;
  host::UniqueFd socket_;
  std::list<Peer> peers_;
};

}  // namespace npuvp::debug
