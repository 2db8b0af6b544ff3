// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sw/runtime/device.h"

namespace npuvp::test {

/// Two cards of one host through the runtime: `one` writes a block into the memory of `other` and signals a flag of it,
/// `other` waits for the flag, gives the block to the host and signals back. Then what must be refused. Returns what is
/// wrong, nothing if all is well.
[[nodiscard]] std::string join_two_cards(runtime::Device& one, runtime::Device& other);

}  // namespace npuvp::test
