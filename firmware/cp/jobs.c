// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/jobs.h"

#include <string.h>

#include "firmware/cp/active_job.h"
#include "firmware/cp/address_spaces.h"
#include "firmware/cp/contexts.h"
#include "firmware/cp/functions.h"
#include "firmware/cp/job_report.h"
#include "firmware/cp/queues.h"
#include "firmware/cp/scheduler.h"
#include "firmware/cp/staging.h"
#include "firmware/cp/waiting.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/event_log.h"
#include "firmware/lib/log.h"
#include "firmware/lib/mailbox.h"
#include "firmware/lib/task_manager.h"
#include "npu/registers/mailbox.h"

/* After an abort only commands in flight finish. One that takes longer than this is stuck, or will not be missed. */
static const uint64_t kStopTimeoutNs = 100 * ACLINT_NS_PER_MS;

/* A virtual function's job may not keep its part of the card from the others for longer. */
static const uint64_t kVirtualFunctionLimitNs = ACLINT_NS_PER_S;

static const uint64_t kAgingNs = NPU_PRIORITY_AGING_MS * ACLINT_NS_PER_MS;

static_assert(CONTEXT_SLOTS <= 64, "a mask of contexts");

static struct active_job jobs_[TASK_MANAGER_MAX_SLOTS];
static uint32_t slots_;
static uint32_t neural_engines_;
static bool dead_;
static bool waited_for_;
static uint32_t left_data_; /* bit n: jobs of function n have used the on-chip memories */

void jobs_init(uint32_t neural_engines) {
  memset(jobs_, 0, sizeof(jobs_));
  slots_ = task_manager_slots();
  neural_engines_ = neural_engines;
  dead_ = false;
  waited_for_ = false;
  left_data_ = 1; /* they may hold anything of the physical function's */
}

int jobs_free_slot(void) {
  for (uint32_t slot = 0; slot < slots_; ++slot) {
    if (jobs_[slot].state == JOB_FREE) return (int)slot;
  }
  return -1;
}

uint32_t jobs_parts(struct part* parts) {
  uint32_t count = 0;
  for (uint32_t slot = 0; slot < slots_; ++slot) {
    if (jobs_[slot].state != JOB_FREE) parts[count++] = jobs_[slot].part;
  }
  return count;
}

/* End of the time that the job has. */
static uint64_t end_of(const struct taken* taken, uint64_t start_ns) {
  uint64_t limit = context_job_limit_ns(taken->context);
  uint64_t own = taken->submission.timeout_us * ACLINT_NS_PER_US;
  if (own != 0 && own < limit) limit = own;
  if (queue_function(taken->queue) != 0 && limit > kVirtualFunctionLimitNs) limit = kVirtualFunctionLimitNs;
  return limit == ACLINT_NEVER ? ACLINT_NEVER : start_ns + limit;
}

static uint64_t later(uint64_t time_ns, uint64_t by_ns) {
  return by_ns == ACLINT_NEVER || time_ns == ACLINT_NEVER ? ACLINT_NEVER : time_ns + by_ns;
}

/* When a running job must be looked at next. */
static uint64_t next_look(const struct active_job* job) {
  return job->hangs_ns < job->end_ns ? job->hangs_ns : job->end_ns;
}

bool jobs_start(uint32_t slot, uint32_t place, const struct part* part, uint32_t weight, uint64_t now_ns) {
  const struct taken* taken = &waiting_at(place)->taken;
  struct task_manager_job job = {
      .commands = staging_address(place),
      .command_bytes = taken->submission.command_bytes,
      .asid = context_asid(taken->context),
      .address_space = address_space_of(taken->context),
      .function = queue_function(taken->queue),
      .segments = submission_segments(place),
      .segment_count = taken->submission.segment_count,
  };
  struct task_manager_share share = {
      .engines = part->engines,
      .first_engine = part->first_engine,
      .shared_base = part->shared_base,
      .shared_bytes = part->shared_bytes,
      .priority = scheduler_level(taken->context, now_ns),
  };
  task_manager_set_share(slot, &share);
  if (!task_manager_start(slot, &job)) return false;
  uint64_t start = aclint_time_ns();
  struct active_job* active = &jobs_[slot];
  *active = (struct active_job){
      .state = JOB_RUNNING,
      .slot = slot,
      .place = place,
      .queue = taken->queue,
      .context = taken->context,
      .job = taken->submission.job,
      .commands = job.command_bytes / (uint32_t)sizeof(struct npu_command),
      .part = *part,
      .weight = weight,
      .priority = share.priority,
      .rises_ns = start + kAgingNs,
      .start_ns = start,
      .charged_ns = start,
      .end_ns = end_of(taken, start),
      .hang_limit_ns = context_hang_limit_ns(taken->context),
  };
  active->hangs_ns = later(start, active->hang_limit_ns);
  active->deadline_ns = next_look(active);
  left_data_ |= 1u << job.function;
  waiting_start(place);
  event_log_record(NPU_EVENT_JOB_START, submission_event(active->queue, active->context, slot, 0), active->job);
  return true;
}

static void charge(struct active_job* job, uint64_t now_ns, uint32_t of) {
  if (now_ns <= job->charged_ns) return;
  uint64_t ns = now_ns - job->charged_ns;
  if (!job->orphan) {
    context_count_share(job->context, ns * job->weight / PLACEMENT_WHOLE_CARD);
    scheduler_charge(job->context, ns * job->weight / of);
  }
  job->charged_ns = now_ns;
}

void jobs_charge(uint64_t now_ns) {
  uint32_t used = 0;
  for (uint32_t slot = 0; slot < slots_; ++slot) {
    if (jobs_[slot].state != JOB_FREE) used += jobs_[slot].weight;
  }
  uint32_t of = waited_for_ && used < PLACEMENT_WHOLE_CARD ? used : PLACEMENT_WHOLE_CARD;
  for (uint32_t slot = 0; slot < slots_; ++slot) {
    if (jobs_[slot].state != JOB_FREE) charge(&jobs_[slot], now_ns, of);
  }
}

void jobs_are_waited_for(bool waited_for) {
  waited_for_ = waited_for;
}

static void finish(uint32_t slot, const struct task_manager_end* end) {
  jobs_charge(aclint_time_ns());
  struct active_job* job = &jobs_[slot];
  if (job->orphan) {
    uint64_t who = NPU_EVENT_JOB(0, NPU_JOB_ABORTED, slot, queue_function(job->queue), queue_number(job->queue));
    event_log_record(NPU_EVENT_JOB_END, who, job->job);
  } else {
    job_report(job, end);
  }
  job->state = JOB_FREE;
  waiting_release(job->place);
}

void jobs_serve_task_manager(void) {
  for (uint32_t slot = 0; slot < slots_; ++slot) {
    struct task_manager_end end;
    if (!task_manager_take_end(slot, &end)) continue;
    if (jobs_[slot].state == JOB_FREE) {
      log_line("the Task Manager ended a job that nobody waits for");
    } else {
      finish(slot, &end);
    }
  }
}

static void stop(uint32_t slot, enum npu_job_status status, enum npu_fault fault) {
  struct active_job* job = &jobs_[slot];
  if (!engines_find(neural_engines_, context_asid(job->context), &job->at)) job->at.kind = 0;
  task_manager_abort(slot);
  job->state = JOB_STOPPING;
  job->stop_status = status;
  job->stop_fault = fault;
  job->deadline_ns = aclint_time_ns() + kStopTimeoutNs;
}

/* The Task Manager waits for a command that does not come back. */
static bool reset_engines(struct active_job* job, uint64_t now_ns) {
  uint32_t asid = context_asid(job->context);
  if (!engines_find(neural_engines_, asid, &job->at)) return false;
  job->state = JOB_RESETTING;
  job->engine_reset = true;
  job->stop_fault = NPU_FAULT_ENGINE_STUCK;
  job->deadline_ns = now_ns + kStopTimeoutNs;
  (void)engines_reset(neural_engines_, asid);
  return true;
}

/* Nothing that firmware can reach brings the Task Manager back. Jobs in other slots may end as they will. */
static void die(uint32_t slot, uint64_t now_ns) {
  log_line("the Task Manager does not stop: reset the card");
  dead_ = true;
  mailbox_set_card_state(MAILBOX_HOST_CARD_STATE_STATE_FAULT);
  struct active_job* job = &jobs_[slot];
  job->state = JOB_LOST;
  struct task_manager_end end = {.error = true, .retired = job->retired, .start_ns = job->start_ns, .end_ns = now_ns};
  finish(slot, &end);
}

bool jobs_dead(void) {
  return dead_;
}

/* What others have kept it from doing is not its fault. */
static void forgive_blocked(uint32_t slot) {
  struct active_job* job = &jobs_[slot];
  uint64_t blocked = task_manager_blocked_ns(slot);
  uint64_t more = blocked - job->blocked_ns;
  job->blocked_ns = blocked;
  job->end_ns = later(job->end_ns, more);
  job->hangs_ns = later(job->hangs_ns, more);
}

/* A running job is over its time, or it is time to look whether it moves. */
static void look_at(uint32_t slot, uint64_t now_ns) {
  struct active_job* job = &jobs_[slot];
  uint32_t retired = task_manager_retired(slot);
  forgive_blocked(slot);
  if (retired != job->retired) job->hangs_ns = later(now_ns, job->hang_limit_ns);
  job->retired = retired;
  job->deadline_ns = next_look(job);
  if (now_ns < job->deadline_ns) return;
  bool hangs = now_ns < job->end_ns;
  function_log(queue_function(job->queue), "queue %u: job %lu %s after %lu us, %u of %u commands done",
               queue_number(job->queue), (unsigned long)job->job, hangs ? "hangs" : "timed out",
               (unsigned long)((now_ns - job->start_ns) / ACLINT_NS_PER_US), retired, job->commands);
  stop(slot, NPU_JOB_TIMEOUT, hangs ? NPU_FAULT_HANG : NPU_FAULT_NONE);
}

/* A job that others of its function may keep waiting for a shared engine. */
static bool rises(const struct active_job* job) {
  return job->state == JOB_RUNNING && job->priority < NPU_PRIORITY_URGENT && jobs_running() > 1;
}

uint64_t jobs_deadline(void) {
  uint64_t deadline = ACLINT_NEVER;
  for (uint32_t slot = 0; slot < slots_; ++slot) {
    const struct active_job* job = &jobs_[slot];
    if (job->state == JOB_FREE) continue;
    if (job->deadline_ns < deadline) deadline = job->deadline_ns;
    if (rises(job) && job->rises_ns < deadline) deadline = job->rises_ns;
  }
  return deadline;
}

void jobs_serve_time(uint64_t now_ns) {
  for (uint32_t slot = 0; slot < slots_; ++slot) {
    struct active_job* job = &jobs_[slot];
    if (rises(job) && now_ns >= job->rises_ns) {
      task_manager_set_priority(slot, ++job->priority);
      job->rises_ns = now_ns + kAgingNs;
    }
    if (job->state == JOB_FREE || now_ns < job->deadline_ns) continue;
    if (job->state == JOB_RUNNING) {
      look_at(slot, now_ns);
    } else if (job->state == JOB_RESETTING || !reset_engines(job, now_ns)) {
      die(slot, now_ns);
    }
  }
}

void jobs_abort_queue(uint32_t slot) {
  for (uint32_t i = 0; i < slots_; ++i) {
    struct active_job* job = &jobs_[i];
    if (job->state == JOB_RUNNING && !job->orphan && job->queue == slot) stop(i, NPU_JOB_ABORTED, NPU_FAULT_NONE);
  }
}

uint32_t jobs_running(void) {
  uint32_t running = 0;
  for (uint32_t i = 0; i < slots_; ++i) running += jobs_[i].state != JOB_FREE;
  return running;
}

void jobs_abort_all(void) {
  for (uint32_t i = 0; i < slots_; ++i) {
    if (jobs_[i].state == JOB_RUNNING) stop(i, NPU_JOB_ABORTED, NPU_FAULT_NONE);
  }
}

bool jobs_busy_with(uint32_t slot) {
  for (uint32_t i = 0; i < slots_; ++i) {
    if (jobs_[i].state != JOB_FREE && !jobs_[i].orphan && jobs_[i].queue == slot) return true;
  }
  return false;
}

uint64_t jobs_contexts(void) {
  uint64_t contexts = 0;
  for (uint32_t i = 0; i < slots_; ++i) {
    if (jobs_[i].state != JOB_FREE) contexts |= 1ull << jobs_[i].context;
  }
  return contexts;
}

bool jobs_context_runs(uint32_t context) {
  return jobs_contexts() >> context & 1u;
}

void jobs_forget_function(uint32_t function) {
  if (left_data_ >> function & 1u) task_manager_clear_memories();
  left_data_ &= ~(1u << function);
  for (uint32_t i = 0; i < slots_; ++i) {
    struct active_job* job = &jobs_[i];
    if (job->state == JOB_FREE || job->orphan || queue_function(job->queue) != function) continue;
    job->orphan = true;
    if (job->state == JOB_RUNNING) stop(i, NPU_JOB_ABORTED, NPU_FAULT_NONE);
  }
}

bool jobs_orphan_runs(void) {
  for (uint32_t i = 0; i < slots_; ++i) {
    if (jobs_[i].state != JOB_FREE && jobs_[i].orphan) return true;
  }
  return false;
}
