// SPDX-License-Identifier: Apache-2.0
/*
 * Time that the firmware spends on doorbells and messages. It is charged like time of the card (scheduler.h), to the
 * context that a doorbell or message is about and to its function. That alone does not hold back a function that has no
 * jobs, so each also has a budget: one part in UPKEEP_SHARE of the time, of which it may use UPKEEP_BURST_NS at once.
 * While other functions have jobs that run or wait, it is not served beyond that: a flood takes from them no more than
 * that part of the firmware's time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define UPKEEP_SHARE 8u          /* one part in so many */
#define UPKEEP_BURST_NS 50000ull /* some dozen messages */

void upkeep_init(void);

/* Of `functions` (bit n for function n) those that may be served now. */
uint32_t upkeep_allowed(uint32_t functions, uint64_t now_ns);

/* A message or doorbells of `function` took `ns`; `context`: which it was about, -1: none in particular. */
void upkeep_charge(uint32_t function, int context, uint64_t ns, uint64_t now_ns);
