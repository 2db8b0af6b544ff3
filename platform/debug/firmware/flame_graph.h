// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "platform/debug/firmware/profile.h"

namespace npuvp::debug::firmware {

/// An SVG file with nothing outside of it: boxes whose width is the time of a node and all below it, callees on top of
/// callers, siblings by name. What is narrower than a third of a pixel is left out. Hovering shows times.
[[nodiscard]] std::string draw_flame_graph(const Profile::Node& root, const std::string& title);

}  // namespace npuvp::debug::firmware
