// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "platform/config/board.h"

namespace npuvp::assembly {

/// What a host has to set aside for a server: bus numbers, and memory address space for the functions. Powers of two.
struct AddressSpace {
  unsigned buses;         ///< Bus 0, one a link, one inside each switch; virtual functions need none of their own.
  uint64_t memory_bytes;  ///< Below 4 GiB: BARs that are not prefetchable.
  uint64_t prefetchable_bytes;  ///< Anywhere.
};

/// Room for every BAR of every function, virtual ones included, in windows as Linux makes them (1 MiB units, at least
/// 2 MiB a hot-pluggable slot), and for one card whose BAR2 has been enlarged to the most.
[[nodiscard]] AddressSpace address_space(const config::ServerConfig& config);

}  // namespace npuvp::assembly
