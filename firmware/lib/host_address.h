// SPDX-License-Identifier: Apache-2.0
/* Bus addresses of host memory, and where the card sees them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/memory_map.h"

/* Whether [bus, bus + bytes), not empty, can be addressed through the PCIe outbound window. */
static inline bool host_range_valid(uint64_t bus, uint64_t bytes) {
  return bytes != 0 && bytes - 1 <= NPU_MAP_HOST_ADDRESS_MASK && bus <= NPU_MAP_HOST_ADDRESS_MASK - (bytes - 1);
}

/* Card physical address of a bus address that is valid in the sense above. */
static inline uint64_t host_to_card(uint64_t bus) {
  return NPU_MAP_HOST | bus;
}
