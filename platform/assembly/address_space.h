// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "platform/config/board.h"

namespace npuvp::assembly {

/// Memory address space that a host has to set aside for a server's functions. Powers of two.
struct AddressSpace {
  uint64_t memory_bytes;        ///< Below 4 GiB: BARs that are not prefetchable.
  uint64_t prefetchable_bytes;  ///< Anywhere.
};

/// Room for every BAR of every function, virtual ones included, in windows as Linux makes them (1 MiB units, at least
/// 2 MiB a hot-pluggable slot), and for one card whose BAR2 has been enlarged to the most.
[[nodiscard]] AddressSpace address_space(const config::ServerConfig& config);

}  // namespace npuvp::assembly
