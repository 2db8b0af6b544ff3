// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/waiting.h"

#include <string.h>

#include "firmware/cp/contexts.h"
#include "firmware/cp/queues.h"
#include "firmware/cp/scheduler.h"
#include "firmware/cp/staging.h"
#include "firmware/lib/aclint.h"

/* What a submission costs at least, so that no number of them is free. */
static const uint64_t kLeastChargeNs = 1000;

enum place_state { PLACE_FREE, PLACE_WAITS, PLACE_RUNS };

static struct waiting waiting_[STAGING_PLACES];
static enum place_state states_[STAGING_PLACES];
static int of_context_[CONTEXT_SLOTS]; /* place, or -1 */
static uint32_t neural_engines_;
static uint64_t number_;

void waiting_init(uint32_t neural_engines) {
  neural_engines_ = neural_engines;
  number_ = 0;
  memset(states_, 0, sizeof(states_));
  for (uint32_t context = 0; context < CONTEXT_SLOTS; ++context) of_context_[context] = -1;
}

static uint32_t count(enum place_state state) {
  uint32_t places = 0;
  for (uint32_t place = 0; place < STAGING_PLACES; ++place) places += states_[place] == state;
  return places;
}

bool waiting_has_room(uint32_t spare) {
  return count(PLACE_FREE) > spare;
}

uint32_t waiting_count(void) {
  return count(PLACE_WAITS);
}

void waiting_add(uint32_t queue) {
  uint32_t place = 0;
  while (states_[place] != PLACE_FREE) ++place;
  struct waiting* waiting = &waiting_[place];
  uint64_t begin = aclint_time_ns();
  waiting->demand = (struct demand){0};
  waiting->number = ++number_;
  if (submission_take(queue, &waiting->taken)) submission_examine(&waiting->taken, place);
  if (waiting->taken.verdict.runs) {
    uint32_t commands = waiting->taken.submission.command_bytes / (uint32_t)sizeof(struct npu_command);
    waiting->demand = staging_demand(place, commands, neural_engines_);
  }
  states_[place] = PLACE_WAITS;
  of_context_[waiting->taken.context] = (int)place;
  uint64_t cost = aclint_time_ns() - begin;
  context_count_firmware(waiting->taken.context, cost);
  waiting->cost_ns = cost < kLeastChargeNs ? kLeastChargeNs : cost;
}

int waiting_of_context(uint32_t context) {
  return of_context_[context];
}

int waiting_of_queue(uint32_t queue) {
  int place = of_context_[queue_context(queue)];
  return place >= 0 && waiting_[place].taken.queue == queue ? place : -1;
}

const struct waiting* waiting_at(uint32_t place) {
  return &waiting_[place];
}

static void leave(uint32_t place) {
  uint32_t context = waiting_[place].taken.context;
  of_context_[context] = -1;
  scheduler_charge(context, waiting_[place].cost_ns);
}

void waiting_start(uint32_t place) {
  leave(place);
  states_[place] = PLACE_RUNS;
}

void waiting_release(uint32_t place) {
  if (states_[place] == PLACE_WAITS) leave(place);
  states_[place] = PLACE_FREE;
}

void waiting_forget_function(uint32_t function) {
  for (uint32_t place = 0; place < STAGING_PLACES; ++place) {
    if (states_[place] == PLACE_WAITS && queue_function(waiting_[place].taken.queue) == function) {
      waiting_release(place);
    }
  }
}
