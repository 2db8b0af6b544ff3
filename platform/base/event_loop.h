// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

namespace npuvp::host {

/// Somebody else's poll loop: calls back when a descriptor is readable or its other end has gone.
struct EventLoop {
  std::function<void(int fd, std::function<void()> callback)> watch;
  std::function<void(int fd)> unwatch;
};

}  // namespace npuvp::host
