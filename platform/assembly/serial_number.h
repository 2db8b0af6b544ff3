// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace npuvp::assembly {

/// Base of our serial numbers (EUI-64): locally administered, with "NPU" in them.
inline constexpr uint64_t kSerialNumbers = 0x024e'5055'0000'0000;

/// Serial number of the card or switch with this index in its server.
[[nodiscard]] constexpr uint64_t card_serial_number(size_t index) {
  return kSerialNumbers + index;
}
[[nodiscard]] constexpr uint64_t switch_serial_number(size_t index) {
  return kSerialNumbers + (1 << 16) + index;
}

}  // namespace npuvp::assembly
