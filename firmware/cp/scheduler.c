// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/scheduler.h"

#include <string.h>

#include "firmware/cp/contexts.h"
#include "firmware/cp/functions.h"
#include "firmware/cp/queues.h"
#include "firmware/lib/aclint.h"

static const uint64_t kAgingNs = NPU_PRIORITY_AGING_MS * ACLINT_NS_PER_MS;
static const uint64_t kNotWaiting = UINT64_MAX;

/* One of those who share: a function among functions, a context among those of its function. */
struct sharer {
  uint64_t served_ns; /* virtual time */
  uint64_t waiting_since_ns;
};

/* Those who share the same thing. */
struct group {
  uint64_t clock_ns; /* virtual time of the one served last: nobody comes back before it */
  uint32_t last;     /* who that was; with equal times the next one goes first */
};

static struct sharer functions_[FUNCTIONS_MAX];
static struct group card_;
static struct sharer contexts_[CONTEXT_SLOTS];
static struct group within_[FUNCTIONS_MAX];
static uint32_t last_queue_[CONTEXT_SLOTS]; /* number within the function */
static uint32_t owners_;                    /* functions that had queues at the last look */

void scheduler_init(void) {
  memset(contexts_, 0, sizeof(contexts_));
  memset(within_, 0, sizeof(within_));
  owners_ = 0;
  card_ = (struct group){0, FUNCTIONS_MAX - 1};
  for (uint32_t function = 0; function < FUNCTIONS_MAX; ++function) {
    functions_[function] = (struct sharer){0, kNotWaiting};
    within_[function].last = queue_slot(function, function_queues(function) - 1);
  }
  for (uint32_t context = 0; context < CONTEXT_SLOTS; ++context) contexts_[context].waiting_since_ns = kNotWaiting;
}

void scheduler_add(uint32_t context) {
  uint32_t function = context_function(context);
  contexts_[context] = (struct sharer){within_[function].clock_ns, kNotWaiting};
  last_queue_[context] = function_queues(function) - 1;
}

static void see(struct sharer* sharer, const struct group* group, bool ready, uint64_t now_ns) {
  if (!ready) {
    sharer->waiting_since_ns = kNotWaiting;
  } else if (sharer->waiting_since_ns == kNotWaiting) {
    sharer->waiting_since_ns = now_ns;
    if (sharer->served_ns < group->clock_ns) sharer->served_ns = group->clock_ns;
  }
}

/* Those that drain are emptied by jobs_abort_next(), which needs no turn. */
static bool queue_waits(uint32_t slot) {
  return !queue_draining(slot) && queue_ready(slot);
}

static bool has_waiting_queue(uint32_t context) {
  uint32_t function = context_function(context), queues = context_queues(context);
  for (uint32_t queue = 0; queues >> queue != 0; ++queue) {
    if ((queues >> queue & 1u) && queue_waits(queue_slot(function, queue))) return true;
  }
  return false;
}

/* Whether the function has work. */
static bool look_within(uint32_t function, uint64_t now_ns) {
  uint32_t contexts = contexts_of(function);
  bool any = false;
  for (uint32_t number = 0; contexts >> number != 0; ++number) {
    if (!(contexts >> number & 1u)) continue;
    uint32_t context = queue_slot(function, number);
    bool ready = has_waiting_queue(context);
    see(&contexts_[context], &within_[function], ready, now_ns);
    any |= ready;
  }
  return any;
}

void scheduler_look(uint64_t now_ns) {
  uint32_t owners = queues_owners(), seen = owners | owners_;
  owners_ = owners;
  for (uint32_t function = 0; seen >> function != 0; ++function) {
    if (!(seen >> function & 1u)) continue;
    bool any = (owners >> function & 1u) && look_within(function, now_ns);
    see(&functions_[function], &card_, any, now_ns);
  }
}

static bool waits(const struct sharer* sharer) {
  return sharer->waiting_since_ns != kNotWaiting;
}

/* Number of the only bit set in `mask`; -1 if there is none or more. Mostly one program has the card to itself. */
static int only_bit(uint32_t mask) {
  if (mask == 0 || (mask & (mask - 1)) != 0) return -1;
  int bit = 0;
  while (!(mask >> bit & 1u)) ++bit;
  return bit;
}

static int next_function(void) {
  int best = only_bit(owners_);
  if (best >= 0) return waits(&functions_[best]) ? best : -1;
  for (uint32_t step = 1; step <= FUNCTIONS_MAX; ++step) {
    uint32_t function = (card_.last + step) % FUNCTIONS_MAX;
    if (!waits(&functions_[function])) continue;
    if (best < 0 || functions_[function].served_ns < functions_[best].served_ns) best = (int)function;
  }
  return best;
}

/* Priority with what waiting has added. */
static uint32_t level_of(uint32_t context, uint64_t now_ns) {
  uint64_t level = context_priority(context) + (now_ns - contexts_[context].waiting_since_ns) / kAgingNs;
  return level < NPU_PRIORITY_URGENT ? (uint32_t)level : NPU_PRIORITY_URGENT;
}

static int next_context(uint32_t function, uint64_t now_ns) {
  uint32_t first = queue_slot(function, 0), count = function_queues(function), best_level = 0;
  uint32_t contexts = contexts_of(function), last = within_[function].last - first;
  int best = only_bit(contexts);
  if (best >= 0) return waits(&contexts_[first + (uint32_t)best]) ? (int)first + best : -1;
  for (uint32_t step = 1; step <= count; ++step) {
    uint32_t number = (last + step) % count, context = first + number;
    if (!(contexts >> number & 1u) || !waits(&contexts_[context])) continue;
    uint32_t level = level_of(context, now_ns);
    bool better = best < 0 || level > best_level ||
                  (level == best_level && contexts_[context].served_ns < contexts_[best].served_ns);
    if (!better) continue;
    best = (int)context;
    best_level = level;
  }
  return best;
}

static int next_queue(uint32_t context) {
  uint32_t function = context_function(context), count = function_queues(function), queues = context_queues(context);
  for (uint32_t step = 1; step <= count; ++step) {
    uint32_t queue = (last_queue_[context] + step) % count;
    if (!(queues >> queue & 1u) || !queue_waits(queue_slot(function, queue))) continue;
    last_queue_[context] = queue;
    return (int)queue_slot(function, queue);
  }
  return -1;
}

static void serve(struct sharer* sharer, struct group* group, uint32_t index, uint64_t now_ns) {
  if (group->clock_ns < sharer->served_ns) group->clock_ns = sharer->served_ns;
  group->last = index;
  sharer->waiting_since_ns = now_ns; /* for its next one */
}

int scheduler_next(uint64_t now_ns) {
  int function = next_function();
  if (function < 0) return -1;
  int context = next_context((uint32_t)function, now_ns);
  if (context < 0) return -1;
  serve(&functions_[function], &card_, (uint32_t)function, now_ns);
  serve(&contexts_[context], &within_[function], (uint32_t)context, now_ns);
  return next_queue((uint32_t)context);
}

void scheduler_charge(uint32_t context, uint64_t ns) {
  functions_[context_function(context)].served_ns += ns;
  contexts_[context].served_ns += ns;
}
