// SPDX-License-Identifier: Apache-2.0
/*
 * Physical memory protection of the firmware against its own mistakes: only its code is executable, code and constants
 * are read-only, the ROM (and with it a null pointer) and the page below the stack are out of reach. Entries are locked
 * until the next card reset.
 */
#pragma once

#include <stdint.h>

/* Value of pmpaddr for a naturally aligned region; `bytes` is a power of two, at least 8. */
static inline uint64_t pmp_napot(uint64_t base, uint64_t bytes) {
  return (base >> 2) | ((bytes >> 3) - 1);
}

/* Programs the entries of this hart. Reads or writes no variables. */
void pmp_protect(void);
