// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/scheduler.h"

#include <string.h>

#include "firmware/cp/contexts.h"
#include "firmware/cp/functions.h"
#include "firmware/cp/jobs.h"
#include "firmware/cp/queues.h"
#include "firmware/cp/waiting.h"
#include "firmware/lib/aclint.h"

static const uint64_t kAgingNs = NPU_PRIORITY_AGING_MS * ACLINT_NS_PER_MS;
static const uint64_t kNotWaiting = UINT64_MAX;

/* One of those who share: a function among functions, a context among those of its function. */
struct sharer {
  uint64_t served_ns; /* virtual time */
  uint64_t waiting_since_ns;
  bool active; /* it had work at the last look, that waits or runs */
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
static uint32_t waiting_, active_;          /* and those of them with jobs: bit n for function n */

void scheduler_init(void) {
  memset(contexts_, 0, sizeof(contexts_));
  memset(within_, 0, sizeof(within_));
  owners_ = waiting_ = active_ = 0;
  card_ = (struct group){0, FUNCTIONS_MAX - 1};
  for (uint32_t function = 0; function < FUNCTIONS_MAX; ++function) {
    functions_[function] = (struct sharer){0, kNotWaiting, false};
    within_[function].last = queue_slot(function, function_queues(function) - 1);
  }
  for (uint32_t context = 0; context < CONTEXT_SLOTS; ++context) contexts_[context].waiting_since_ns = kNotWaiting;
}

void scheduler_add(uint32_t context) {
  uint32_t function = context_function(context);
  contexts_[context] = (struct sharer){within_[function].clock_ns, kNotWaiting, false};
  last_queue_[context] = function_queues(function) - 1;
}

/* Who has work. */
struct work {
  bool waits, runs;
};

static void see(struct sharer* sharer, const struct group* group, struct work work, uint64_t now_ns) {
  bool active = work.waits || work.runs;
  if (active && !sharer->active && sharer->served_ns < group->clock_ns) sharer->served_ns = group->clock_ns;
  sharer->active = active;
  if (!work.waits) {
    sharer->waiting_since_ns = kNotWaiting;
  } else if (sharer->waiting_since_ns == kNotWaiting) {
    sharer->waiting_since_ns = now_ns;
  }
}

/* Those that drain are emptied by dispatch_abort_next(), which needs no turn. */
static bool queue_waits(uint32_t slot) {
  return !queue_draining(slot) && queue_ready(slot);
}

static bool has_waiting_job(uint32_t context) {
  int place = waiting_of_context(context);
  if (place >= 0) return !queue_draining(waiting_at((uint32_t)place)->taken.queue);
  uint32_t function = context_function(context), queues = context_queues(context);
  for (uint32_t queue = 0; queues >> queue != 0; ++queue) {
    if ((queues >> queue & 1u) && queue_waits(queue_slot(function, queue))) return true;
  }
  return false;
}

static struct work look_within(uint32_t function, uint64_t running, uint64_t now_ns) {
  uint32_t contexts = contexts_of(function);
  struct work any = {false, false};
  for (uint32_t number = 0; contexts >> number != 0; ++number) {
    if (!(contexts >> number & 1u)) continue;
    uint32_t context = queue_slot(function, number);
    struct work work = {.runs = running >> context & 1u};
    work.waits = !work.runs && has_waiting_job(context); /* one at a time */
    see(&contexts_[context], &within_[function], work, now_ns);
    any.waits |= work.waits;
    any.runs |= work.runs;
  }
  return any;
}

void scheduler_look(uint64_t now_ns) {
  uint32_t owners = queues_owners(), seen = owners | owners_;
  uint64_t running = jobs_contexts();
  owners_ = owners;
  waiting_ = active_ = 0;
  for (uint32_t function = 0; seen >> function != 0; ++function) {
    if (!(seen >> function & 1u)) continue;
    struct work work = {false, false};
    if (owners >> function & 1u) work = look_within(function, running, now_ns);
    see(&functions_[function], &card_, work, now_ns);
    if (work.waits) waiting_ |= 1u << function;
    if (work.waits || work.runs) active_ |= 1u << function;
  }
}

static bool waits(const struct sharer* sharer) {
  return sharer->waiting_since_ns != kNotWaiting;
}

uint32_t scheduler_active(void) {
  return active_;
}

/* Priority with what waiting has added. */
uint32_t scheduler_level(uint32_t context, uint64_t now_ns) {
  uint64_t level = context_priority(context);
  if (waits(&contexts_[context])) level += (now_ns - contexts_[context].waiting_since_ns) / kAgingNs;
  return level < NPU_PRIORITY_URGENT ? (uint32_t)level : NPU_PRIORITY_URGENT;
}

static int next_context(uint32_t function, uint64_t now_ns, uint64_t skip) {
  uint32_t first = queue_slot(function, 0), count = function_queues(function), best_level = 0;
  uint32_t contexts = contexts_of(function) & ~(uint32_t)(skip >> first), last = within_[function].last - first;
  int best = -1;
  for (uint32_t step = 1; step <= count; ++step) {
    uint32_t number = (last + step) % count, context = first + number;
    if (!(contexts >> number & 1u) || !waits(&contexts_[context])) continue;
    uint32_t level = scheduler_level(context, now_ns);
    bool better = best < 0 || level > best_level ||
                  (level == best_level && contexts_[context].served_ns < contexts_[best].served_ns);
    if (!better) continue;
    best = (int)context;
    best_level = level;
  }
  return best;
}

int scheduler_next(uint64_t now_ns, uint64_t skip) {
  int best = -1;
  uint64_t least = 0;
  if (waiting_ == 1) return next_context(0, now_ns, skip); /* mostly one program has the card to itself */
  if (waiting_ == 0) return -1;
  for (uint32_t step = 1; step <= FUNCTIONS_MAX; ++step) {
    uint32_t function = (card_.last + step) % FUNCTIONS_MAX;
    if (!(waiting_ >> function & 1u)) continue;
    if (best >= 0 && functions_[function].served_ns >= least) continue;
    int context = next_context(function, now_ns, skip);
    if (context < 0) continue;
    best = context;
    least = functions_[function].served_ns;
  }
  return best;
}

int scheduler_queue(uint32_t context) {
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

void scheduler_serve(uint32_t context, uint64_t now_ns) {
  uint32_t function = context_function(context);
  serve(&functions_[function], &card_, function, now_ns);
  serve(&contexts_[context], &within_[function], context, now_ns);
}

void scheduler_charge(uint32_t context, uint64_t ns) {
  functions_[context_function(context)].served_ns += ns;
  contexts_[context].served_ns += ns;
}

void scheduler_charge_upkeep(uint32_t function, int context, uint64_t ns) {
  if (functions_[function].active) functions_[function].served_ns += ns;
  if (context >= 0 && contexts_[context].active) contexts_[context].served_ns += ns;
}
