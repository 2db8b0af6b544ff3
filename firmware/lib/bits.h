// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdint.h>

/* How many bits of `mask` are set. The compiler's own would be a call into its library: the hart has no instruction for
 * it in the set that the firmware is built for. */
static inline uint32_t count_bits(uint32_t mask) {
  uint32_t count = 0;
  for (; mask != 0; mask &= mask - 1) ++count;
  return count;
}
