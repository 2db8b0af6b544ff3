// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "platform/config/board.h"
#include "platform/config/yaml_reader.h"

namespace npuvp::config {

/// Reads a card file that describes one device (not one with a switch on it) and finishes the reader. Errors:
/// ConfigError.
[[nodiscard]] CardConfig read_card(YamlReader& reader);

}  // namespace npuvp::config
