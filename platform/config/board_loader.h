// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "platform/config/board.h"

namespace npuvp::config {

/// Loads a server from a file (anything with a '/' or ending in .yaml) or by name from `boards`/servers/NAME.yaml; its
/// cards come from `boards`/cards/NAME.yaml, or from a file relative to the server's. Errors: ConfigError.
[[nodiscard]] ServerConfig load_server(const std::string& name_or_file, const std::string& boards);

}  // namespace npuvp::config
