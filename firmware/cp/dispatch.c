// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/dispatch.h"

#include "firmware/cp/contexts.h"
#include "firmware/cp/functions.h"
#include "firmware/cp/jobs.h"
#include "firmware/cp/placement.h"
#include "firmware/cp/pstate.h"
#include "firmware/cp/queues.h"
#include "firmware/cp/scheduler.h"
#include "firmware/cp/thermal.h"
#include "firmware/cp/waiting.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/task_manager.h"

/* Contexts whose jobs are looked at before the firmware waits for a part of the card: further ones would gain little.
 */
enum { kMostLooks = 4 };

/* Places of the staging area that are kept for contexts whose turn it is. */
enum { kSparePlaces = 8 };

static struct placement_card card_;

/* The part of the card that is kept for a job that waits. It stays the same as long as that job is the first one that
 * has to wait, or others could go on taking now this and now that piece of it. */
static struct {
  uint64_t number; /* of the job in waiting.h; 0: none */
  struct part part;
} reserved_;

void dispatch_init(const struct board* board) {
  card_ = (struct placement_card){board->neural_engines, board->shared_bytes};
  reserved_.number = 0;
  waiting_init(board->neural_engines);
}

/* Completes what does not run after all. */
static bool ends_unrun(uint32_t context, uint32_t place) {
  const struct taken* taken = &waiting_at(place)->taken;
  bool abort = jobs_dead() || context_stopped(context);
  if (!abort && taken->verdict.runs) return false;
  if (abort) {
    submission_abort(taken);
  } else {
    submission_end(taken, &taken->verdict);
  }
  waiting_release(place);
  return true;
}

static void start(uint32_t slot, uint32_t place, const struct part* part, uint64_t now_ns) {
  if (jobs_start(slot, place, part, part_weight(&card_, part), now_ns)) return;
  const struct taken* taken = &waiting_at(place)->taken;
  function_log(queue_function(taken->queue), "queue %u: job %lu aborted: the Task Manager is busy",
               queue_number(taken->queue), (unsigned long)taken->submission.job);
  submission_abort(taken);
  waiting_release(place);
}

/* Goes on with the job of a context whose turn it is, in one go: nobody who comes meanwhile goes before it. False if it
 * has to wait. `taken`: `count` parts that are not to be had. */
static bool serve(uint32_t context, const struct part* taken, uint32_t count, uint64_t now_ns) {
  int place = waiting_of_context(context);
  bool examined = false;
  if (place < 0) {
    if (!waiting_has_room(0)) return false;
    int queue = scheduler_queue(context);
    if (queue < 0) return false;
    pstate_wake(now_ns); /* nobody pays for that */
    waiting_add((uint32_t)queue);
    place = waiting_of_context(context);
    examined = true;
  }
  if (ends_unrun(context, (uint32_t)place)) {
    scheduler_serve(context, now_ns);
    return true;
  }
  int slot = jobs_free_slot();
  struct part part;
  if (slot < 0 || !placement_find(&card_, &waiting_at((uint32_t)place)->demand, taken, count, &part)) {
    return examined;
  }
  pstate_wake(now_ns);
  start((uint32_t)slot, (uint32_t)place, &part, now_ns);
  scheduler_serve(context, now_ns);
  return true;
}

static struct part reservation_for(uint32_t place, const struct part* taken, uint32_t count) {
  const struct waiting* waiting = waiting_at(place);
  if (reserved_.number != waiting->number) {
    reserved_.number = waiting->number;
    reserved_.part = placement_reserve(&card_, &waiting->demand, taken, count);
  }
  return reserved_.part;
}

/* The first context that can go on does. */
static bool serve_in_order(uint64_t now_ns) {
  struct part taken[TASK_MANAGER_MAX_SLOTS + 1];
  uint32_t running = jobs_parts(taken), count = running;
  uint64_t skip = 0;
  jobs_are_waited_for(false);
  for (uint32_t looks = 0; looks < kMostLooks; ++looks) {
    int context = scheduler_next(now_ns, skip);
    if (context < 0) return false;
    if (serve((uint32_t)context, taken, count, now_ns)) return true;
    skip |= 1ull << context;
    jobs_are_waited_for(true);
    int place = waiting_of_context((uint32_t)context);
    if (count == running && place >= 0) taken[count++] = reservation_for((uint32_t)place, taken, running);
  }
  return false;
}

/* While a context's job runs, its next one is made ready. */
static bool prepare_next(void) {
  uint64_t contexts = jobs_contexts();
  for (uint32_t context = 0; contexts >> context != 0; ++context) {
    if (!(contexts >> context & 1u) || waiting_of_context(context) >= 0 || !waiting_has_room(kSparePlaces)) continue;
    int queue = scheduler_queue(context);
    if (queue < 0) continue;
    waiting_add((uint32_t)queue);
    return true;
  }
  return false;
}

bool dispatch_next(void) {
  uint64_t now = aclint_time_ns();
  jobs_charge(now);
  scheduler_look(now);
  if (!thermal_allows_jobs()) return false;
  return serve_in_order(now) || prepare_next();
}

bool dispatch_abort_next(uint32_t queue) {
  int place = waiting_of_queue(queue);
  if (place >= 0) {
    submission_abort(&waiting_at((uint32_t)place)->taken);
    waiting_release((uint32_t)place);
    return true;
  }
  if (!queue_ready(queue)) return false;
  struct taken taken;
  if (submission_take(queue, &taken)) {
    submission_abort(&taken);
  } else {
    submission_end(&taken, &taken.verdict);
  }
  return true;
}
