// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/contexts.h"

#include <string.h>

#include "firmware/abi/status.h"
#include "firmware/cp/address_spaces.h"
#include "firmware/lib/aclint.h"

struct context {
  bool implicit;
  bool stopped;
  uint32_t queues; /* bit n: queue n of the function */
  struct context_arguments is;
  struct context_counters counters;
};

static struct context contexts_[CONTEXT_SLOTS];
static uint32_t existing_[FUNCTIONS_MAX]; /* bit n: the function's n-th place is taken */
static uint32_t next_[FUNCTIONS_MAX];     /* where each function looks for a free place first */

void contexts_init(void) {
  memset(contexts_, 0, sizeof(contexts_));
  memset(existing_, 0, sizeof(existing_));
  memset(next_, 0, sizeof(next_));
  address_spaces_init();
}

int context_find(uint32_t function, uint32_t id) {
  for (uint32_t number = 0; existing_[function] >> number != 0; ++number) {
    uint32_t context = queue_slot(function, number);
    if ((existing_[function] >> number & 1u) && contexts_[context].is.id == id) return (int)context;
  }
  return -1;
}

/* Places are used in turn, so that an ASID comes back as late as possible. */
static int free_place(uint32_t function) {
  uint32_t count = function_queues(function);
  for (uint32_t step = 0; step < count; ++step) {
    uint32_t number = (next_[function] + step) % count;
    if (existing_[function] >> number & 1u) continue;
    next_[function] = (number + 1) % count;
    return (int)queue_slot(function, number);
  }
  return -1;
}

int context_create(uint32_t function, const struct context_arguments* arguments) {
  int place = free_place(function);
  if (place < 0) return -1;
  existing_[function] |= 1u << queue_number((uint32_t)place);
  contexts_[place] = (struct context){.is = *arguments};
  if (arguments->flags & NPU_CONTEXT_ADDRESS_SPACE) address_space_create((uint32_t)place);
  return place;
}

int context_create_implicit(uint32_t function, uint32_t id) {
  struct context_arguments arguments = {.id = id, .priority = NPU_PRIORITY_NORMAL};
  int place = context_create(function, &arguments);
  if (place >= 0) contexts_[place].implicit = true;
  return place;
}

void context_remove(uint32_t context) {
  address_space_destroy(context);
  existing_[context_function(context)] &= ~(1u << queue_number(context));
}

void contexts_remove_function(uint32_t function) {
  for (uint32_t number = 0; existing_[function] >> number != 0; ++number) {
    if (existing_[function] >> number & 1u) context_remove(queue_slot(function, number));
  }
}

bool contexts_exist(void) {
  for (uint32_t function = 0; function < FUNCTIONS_MAX; ++function) {
    if (existing_[function] != 0) return true;
  }
  return false;
}

uint32_t contexts_of(uint32_t function) {
  return existing_[function];
}

void context_join(uint32_t context, uint32_t queue) {
  contexts_[context].queues |= 1u << queue;
}

void context_leave(uint32_t context, uint32_t queue) {
  struct context* c = &contexts_[context];
  c->queues &= ~(1u << queue);
  if (c->implicit && c->queues == 0) context_remove(context);
}

uint32_t context_queues(uint32_t context) {
  return contexts_[context].queues;
}

uint32_t context_id(uint32_t context) {
  return contexts_[context].is.id;
}

uint32_t context_priority(uint32_t context) {
  return contexts_[context].is.priority;
}

static uint64_t limit_ns(uint32_t limit_us) {
  return limit_us == 0 ? ACLINT_NEVER : limit_us * ACLINT_NS_PER_US;
}

uint64_t context_job_limit_ns(uint32_t context) {
  return limit_ns(contexts_[context].is.job_limit_us);
}

uint64_t context_hang_limit_ns(uint32_t context) {
  return limit_ns(contexts_[context].is.hang_limit_us);
}

bool context_may_use(uint32_t context, uint64_t base, uint64_t bytes) {
  const struct context_arguments* is = &contexts_[context].is;
  if (is->range_count == 0) return true;
  for (uint32_t i = 0; i < is->range_count; ++i) {
    const struct npu_range* range = &is->ranges[i];
    if (base >= range->base && bytes <= range->bytes && base - range->base <= range->bytes - bytes) return true;
  }
  return false;
}

bool context_fail(uint32_t context) {
  struct context* c = &contexts_[context];
  if (c->is.flags & NPU_CONTEXT_STOP_ON_FAULT) c->stopped = true;
  return c->stopped;
}

bool context_stopped(uint32_t context) {
  return contexts_[context].stopped;
}

void context_count_taken(uint32_t context) {
  ++contexts_[context].counters.taken;
}

void context_count_end(uint32_t context, uint32_t status, uint64_t card_ns) {
  struct context_counters* counters = &contexts_[context].counters;
  counters->card_ns += card_ns;
  switch (status) {
    case NPU_JOB_OK:
      ++counters->ok;
      break;
    case NPU_JOB_ABORTED:
      ++counters->aborted;
      break;
    default:
      ++counters->failed;
      break;
  }
}

void context_count_share(uint32_t context, uint64_t ns) {
  contexts_[context].counters.share_ns += ns;
}

void context_count_firmware(uint32_t context, uint64_t ns) {
  contexts_[context].counters.firmware_ns += ns;
}

const struct context_counters* context_counters(uint32_t context) {
  return &contexts_[context].counters;
}
