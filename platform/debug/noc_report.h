// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "models/noc/network.h"

namespace npuvp::debug {

/// What has used a card's NoC: an entry for each flow (initiator, target) that has moved something.
[[nodiscard]] nlohmann::ordered_json describe_flows(const noc::Network& noc);

}  // namespace npuvp::debug
