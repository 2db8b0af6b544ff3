// SPDX-License-Identifier: Apache-2.0
/* Time of the card, and the one alarm that wakes this hart from WFI. */
#pragma once

#include <stdint.h>

#define ACLINT_NEVER UINT64_MAX
#define ACLINT_NS_PER_US 1000ull
#define ACLINT_NS_PER_MS 1000000ull
#define ACLINT_NS_PER_S 1000000000ull

/* Nanoseconds since the card's reset. */
uint64_t aclint_time_ns(void);

/* Wakes WFI at card time `deadline_ns`; ACLINT_NEVER disarms. There is one alarm: the last caller wins. */
void aclint_set_deadline(uint64_t deadline_ns);
