// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>

#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "platform/base/event_loop.h"

namespace npuvp::test {

/// The main loop of a platform, turned by hand.
class HandLoop {
 public:
  host::EventLoop loop() {
    return {[this](int fd, std::function<void()> callback) { watched_[fd] = std::move(callback); },
            [this](int fd) { watched_.erase(fd); }};
  }

  /// Calls back for everything that is readable, until nothing is.
  void turn() {
    for (;;) {
      std::vector<pollfd> fds;
      for (const auto& [fd, callback] : watched_) fds.push_back({fd, POLLIN, 0});
      if (::poll(fds.data(), fds.size(), 0) <= 0) return;
      for (const auto& each : fds) {
        if (each.revents == 0 || !watched_.contains(each.fd)) continue;
        const auto callback = watched_.at(each.fd);
        callback();
      }
    }
  }

  /// Descriptors that are looked at.
  [[nodiscard]] size_t watched() const { return watched_.size(); }

 private:
  std::map<int, std::function<void()>> watched_;
};

}  // namespace npuvp::test
