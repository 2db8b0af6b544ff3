// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "platform/base/unique_fd.h"

namespace npuvp::host {

/// A listening, non-blocking UNIX stream socket at `path` that only this user may connect to (mode 0600). Whoever
/// closes it removes the path. Throws std::system_error with the errno of what failed: EADDRINUSE, ENAMETOOLONG,
/// ENOENT, ...
[[nodiscard]] UniqueFd listen_at_path(const std::string& path, int backlog);

}  // namespace npuvp::host
