// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "platform/config/board.h"

namespace npuvp::config {

/// Loads a server from a file (anything with a '/' or ending in .yaml) or by name from `boards`/servers/NAME.yaml; its
/// cards and switches come from `boards`/cards/NAME.yaml and `boards`/switches/NAME.yaml, or from files relative to the
/// one that names them. `boards`/README.md describes the format. Errors: ConfigError.
[[nodiscard]] ServerConfig load_server(const std::string& name_or_file, const std::string& boards);

}  // namespace npuvp::config
