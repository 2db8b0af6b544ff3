// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/upkeep.h"

#include <string.h>

#include "firmware/cp/contexts.h"
#include "firmware/cp/functions.h"
#include "firmware/cp/scheduler.h"

/* What a function has used of its budget; it wears off with time. */
struct budget {
  uint64_t used_ns;
  uint64_t at_ns;
};

static struct budget budgets_[FUNCTIONS_MAX];

void upkeep_init(void) {
  memset(budgets_, 0, sizeof(budgets_));
}

static uint64_t used(uint32_t function, uint64_t now_ns) {
  const struct budget* budget = &budgets_[function];
  uint64_t worn = now_ns > budget->at_ns ? (now_ns - budget->at_ns) / UPKEEP_SHARE : 0;
  return worn < budget->used_ns ? budget->used_ns - worn : 0;
}

uint32_t upkeep_allowed(uint32_t functions, uint64_t now_ns) {
  uint32_t allowed = 0, active = scheduler_active();
  for (uint32_t function = 0; functions >> function != 0; ++function) {
    if (!(functions >> function & 1u)) continue;
    bool alone = (active & ~(1u << function)) == 0;
    if (alone || used(function, now_ns) < UPKEEP_BURST_NS) allowed |= 1u << function;
  }
  return allowed;
}

void upkeep_charge(uint32_t function, int context, uint64_t ns, uint64_t now_ns) {
  budgets_[function] = (struct budget){used(function, now_ns) + ns, now_ns};
  if (context >= 0) context_count_firmware((uint32_t)context, ns);
  scheduler_charge_upkeep(function, context, ns);
}
