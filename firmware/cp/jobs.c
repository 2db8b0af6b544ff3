// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/jobs.h"

#include <string.h>

#include "firmware/cp/address_spaces.h"
#include "firmware/cp/contexts.h"
#include "firmware/cp/faults.h"
#include "firmware/cp/functions.h"
#include "firmware/cp/pstate.h"
#include "firmware/cp/queues.h"
#include "firmware/cp/scheduler.h"
#include "firmware/cp/staging.h"
#include "firmware/cp/submissions.h"
#include "firmware/cp/thermal.h"
#include "firmware/cp/validate.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/engines.h"
#include "firmware/lib/log.h"
#include "firmware/lib/mailbox.h"
#include "firmware/lib/task_manager.h"
#include "npu/registers/mailbox.h"

enum job_state { JOB_FREE, JOB_RUNNING, JOB_STOPPING, JOB_RESETTING };

/* A job of the Task Manager, in one of its slots. */
struct active_job {
  enum job_state state;
  bool orphan;    /* its function was reset: nobody is told of its end */
  uint32_t queue; /* slot in queues.h */
  uint32_t context;
  uint32_t serial; /* of the context */
  uint64_t job;    /* number the host gave it */
  uint32_t commands;
  uint64_t taken_ns; /* when its submission was fetched */
  uint64_t start_ns;
  uint64_t end_ns; /* of its time */
  uint64_t hang_limit_ns;
  uint32_t retired;                /* when it was looked at last */
  uint64_t deadline_ns;            /* when something must be done about it */
  enum npu_job_status stop_status; /* why it is being stopped */
  enum npu_fault stop_fault;
  struct engine_work at; /* what an engine was doing for it then; kind 0: nothing */
};

/* After an abort only commands in flight finish. One that takes longer than this is stuck, or will not be missed. */
static const uint64_t kStopTimeoutNs = 100 * ACLINT_NS_PER_MS;

/* A virtual function's job may not keep the card from the others for longer. */
static const uint64_t kVirtualFunctionLimitNs = ACLINT_NS_PER_S;

/*
 * Slots of the Task Manager that jobs get. A job in a further one would wait there for the card, out of reach of the
 * scheduler, while its limits and its context's account run: jobs wait in their rings instead.
 */
enum { kJobsAtATime = 1 };

static struct active_job jobs_[kJobsAtATime];
static uint32_t neural_engines_;
static bool dead_;
static uint32_t last_function_; /* whose job was started last */
static uint32_t last_serial_;   /* context_serial() of the job that was started or has ended last */

void jobs_init(uint32_t neural_engines) {
  memset(jobs_, 0, sizeof(jobs_));
  neural_engines_ = neural_engines;
  dead_ = false;
  last_function_ = 0;
  last_serial_ = 0;
}

/* End of the time that the job has. */
static uint64_t end_of(const struct taken* taken, uint64_t start_ns) {
  uint64_t limit = context_job_limit_ns(taken->context);
  uint64_t own = taken->submission.timeout_us * ACLINT_NS_PER_US;
  if (own != 0 && own < limit) limit = own;
  if (queue_function(taken->queue) != 0 && limit > kVirtualFunctionLimitNs) limit = kVirtualFunctionLimitNs;
  return limit == ACLINT_NEVER ? ACLINT_NEVER : start_ns + limit;
}

/* When a running job must be looked at next. */
static uint64_t next_look(const struct active_job* job, uint64_t now_ns) {
  uint64_t hang = job->hang_limit_ns == ACLINT_NEVER ? ACLINT_NEVER : now_ns + job->hang_limit_ns;
  return hang < job->end_ns ? hang : job->end_ns;
}

/*
 * The Task Manager keeps the on-chip memories of functions apart, not of contexts. True when somebody else's data may
 * lie there: of the job before, or of one in another slot.
 */
static bool finds_others_data(uint32_t context) {
  uint32_t serial = context_serial(context);
  bool others = serial != last_serial_;
  for (uint32_t slot = 0; slot < kJobsAtATime; ++slot) {
    others |= jobs_[slot].state != JOB_FREE && jobs_[slot].serial != serial;
  }
  return others;
}

static void execute(uint32_t slot, const struct taken* taken) {
  if (!submission_prepare(slot, taken)) return;
  struct task_manager_job job = {
      .commands = staging_address(slot),
      .command_bytes = taken->submission.command_bytes,
      .asid = context_asid(taken->context),
      .address_space = address_space_of(taken->context),
      .function = queue_function(taken->queue),
      .segments = submission_segments(slot),
      .segment_count = taken->submission.segment_count,
  };
  if (job.address_space != 0 && finds_others_data(taken->context)) task_manager_clear_memories();
  uint64_t start = aclint_time_ns();
  if (!task_manager_start(slot, &job)) {
    function_log(job.function, "queue %u: job %lu aborted: the Task Manager is busy", queue_number(taken->queue),
                 (unsigned long)taken->submission.job);
    submission_end(taken, NPU_JOB_ABORTED, NPU_FAULT_NONE, 0);
    return;
  }
  last_function_ = job.function;
  last_serial_ = context_serial(taken->context);
  struct active_job* active = &jobs_[slot];
  *active = (struct active_job){
      .state = JOB_RUNNING,
      .queue = taken->queue,
      .context = taken->context,
      .serial = last_serial_,
      .job = taken->submission.job,
      .commands = job.command_bytes / (uint32_t)sizeof(struct npu_command),
      .taken_ns = taken->taken_ns,
      .start_ns = start,
      .end_ns = end_of(taken, start),
      .hang_limit_ns = context_hang_limit_ns(taken->context),
  };
  active->deadline_ns = next_look(active, start);
}

static int free_slot(void) {
  for (uint32_t slot = 0; slot < kJobsAtATime; ++slot) {
    if (jobs_[slot].state == JOB_FREE) return (int)slot;
  }
  return -1;
}

bool jobs_abort_next(uint32_t queue) {
  if (!queue_ready(queue)) return false;
  struct taken taken;
  if (submission_take(queue, aclint_time_ns(), &taken)) submission_end(&taken, NPU_JOB_ABORTED, NPU_FAULT_NONE, 0);
  return true;
}

static void serve_submission(uint32_t slot, uint32_t queue, uint64_t now_ns) {
  struct taken taken;
  if (!submission_take(queue, now_ns, &taken)) return;
  if (dead_ || context_stopped(taken.context)) {
    submission_end(&taken, NPU_JOB_ABORTED, NPU_FAULT_NONE, 0);
    return;
  }
  const char* reason = validate_submission(&taken.submission, context_id(taken.context));
  if (reason) {
    submission_refuse(&taken, reason);
  } else if (taken.submission.opcode == NPU_SUBMIT_NOP) {
    submission_end(&taken, NPU_JOB_OK, NPU_FAULT_NONE, 0);
  } else {
    execute(slot, &taken);
  }
}

bool jobs_start_next(void) {
  uint64_t now = aclint_time_ns();
  scheduler_look(now);
  int slot = free_slot();
  if (slot < 0) return false;
  if (!thermal_allows_jobs()) return false;
  int queue = scheduler_next(now);
  if (queue < 0) return false;
  pstate_wake(now);
  serve_submission((uint32_t)slot, (uint32_t)queue, aclint_time_ns()); /* nobody pays for the card's waking up */
  return true;
}

/* The end of a job that had to be stopped, unless it came to one of its own just before. */
static bool was_stopped(const struct active_job* job, const struct task_manager_end* end) {
  if (job->state == JOB_RESETTING) return true; /* any fault is that of the command that was abandoned */
  return job->state == JOB_STOPPING && end->error && end->fault == NPU_FAULT_NONE;
}

static enum npu_job_status status_of(const struct active_job* job, const struct task_manager_end* end) {
  if (was_stopped(job, end)) return job->stop_status;
  if (!end->error) return NPU_JOB_OK;
  return end->fault != NPU_FAULT_NONE ? NPU_JOB_FAULT : NPU_JOB_ABORTED;
}

static struct npu_completion completion_of(const struct active_job* job, const struct task_manager_end* end) {
  struct npu_completion completion = {
      .job = job->job,
      .status = status_of(job, end),
      .fault = end->fault,
      .fault_address = end->fault_address,
      .fault_command = end->fault_command,
      .commands = end->retired,
      .start_ns = end->start_ns,
      .end_ns = end->end_ns,
  };
  if (!was_stopped(job, end)) return completion;
  completion.fault = job->stop_fault;
  completion.fault_command = job->at.kind != 0 ? job->at.command : 0;
  completion.fault_address = 0;
  return completion;
}

/* Which engine a fault belongs to stands in the command, whose copy nobody has changed. */
static void name_place(uint32_t slot, const struct active_job* job, const struct task_manager_end* end,
                       struct npu_fault_record* record) {
  if (was_stopped(job, end)) {
    record->block = job->at.kind;
    record->engine = job->at.engine;
    if (job->at.kind != 0) record->command = job->at.command;
    return;
  }
  if (end->fault_command >= job->commands || end->fault == NPU_FAULT_FETCH) return;
  record->command = end->fault_command;
  struct npu_command header;
  if (!staging_command(slot, end->fault_command, &header)) return;
  record->block = header.kind;
  record->engine = header.engine;
}

static void say_end(const struct npu_fault_record* record) {
  function_log(record->function, "queue %u: job %lu ended with status %u, fault %u at command %u, address %lx",
               record->queue, (unsigned long)record->job, record->status, record->fault, record->command,
               (unsigned long)record->address);
  if (record->flags & NPU_FAULT_RECORD_ENGINE_RESET) {
    function_log(record->function, "queue %u: engine %u of kind %u held its command %u and was reset", record->queue,
                 record->engine, record->block, record->command);
  }
  if (record->flags & NPU_FAULT_RECORD_CONTEXT_STOPPED) {
    function_log(record->function, "context %u takes no more jobs", record->context);
  }
}

static void record_end(uint32_t slot, const struct active_job* job, const struct task_manager_end* end,
                       const struct npu_completion* completion) {
  struct npu_fault_record record = submission_record(job->queue, job->context, completion);
  name_place(slot, job, end, &record);
  if (job->state == JOB_RESETTING) record.flags |= NPU_FAULT_RECORD_ENGINE_RESET;
  if (dead_) record.flags |= NPU_FAULT_RECORD_CARD_DEAD;
  if (submission_failed(completion->status) && context_fail(job->context)) {
    record.flags |= NPU_FAULT_RECORD_CONTEXT_STOPPED;
  }
  say_end(&record);
  faults_record(&record);
}

static void finish(uint32_t slot, const struct task_manager_end* end) {
  struct active_job* job = &jobs_[slot];
  last_serial_ = job->serial;
  if (!job->orphan) {
    struct npu_completion completion = completion_of(job, end);
    if (submission_failed(completion.status) || job->state == JOB_RESETTING) record_end(slot, job, end, &completion);
    submission_complete(job->queue, job->context, job->taken_ns, &completion);
  }
  job->state = JOB_FREE;
}

void jobs_serve_task_manager(void) {
  for (uint32_t slot = 0; slot < kJobsAtATime; ++slot) {
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
  job->stop_fault = NPU_FAULT_ENGINE_STUCK;
  job->deadline_ns = now_ns + kStopTimeoutNs;
  (void)engines_reset(neural_engines_, asid);
  return true;
}

/* Nothing that firmware can reach brings the Task Manager back. */
static void die(uint32_t slot, uint64_t now_ns) {
  log_line("the Task Manager does not stop: reset the card");
  dead_ = true;
  mailbox_set_card_state(MAILBOX_HOST_CARD_STATE_STATE_FAULT);
  struct task_manager_end end = {
      .error = true, .retired = jobs_[slot].retired, .start_ns = jobs_[slot].start_ns, .end_ns = now_ns};
  finish(slot, &end);
}

/* A running job is over its time, or it is time to look whether it moves. */
static void look_at(uint32_t slot, uint64_t now_ns) {
  struct active_job* job = &jobs_[slot];
  uint32_t retired = task_manager_retired(slot);
  if (now_ns < job->end_ns && retired != job->retired) {
    job->retired = retired;
    job->deadline_ns = next_look(job, now_ns);
    return;
  }
  job->retired = retired;
  bool hangs = now_ns < job->end_ns;
  function_log(queue_function(job->queue), "queue %u: job %lu %s after %lu us, %u of %u commands done",
               queue_number(job->queue), (unsigned long)job->job, hangs ? "hangs" : "timed out",
               (unsigned long)((now_ns - job->start_ns) / ACLINT_NS_PER_US), retired, job->commands);
  stop(slot, NPU_JOB_TIMEOUT, hangs ? NPU_FAULT_HANG : NPU_FAULT_NONE);
}

uint64_t jobs_deadline(void) {
  uint64_t deadline = ACLINT_NEVER;
  for (uint32_t slot = 0; slot < kJobsAtATime; ++slot) {
    if (jobs_[slot].state != JOB_FREE && jobs_[slot].deadline_ns < deadline) deadline = jobs_[slot].deadline_ns;
  }
  return deadline;
}

void jobs_serve_time(uint64_t now_ns) {
  for (uint32_t slot = 0; slot < kJobsAtATime; ++slot) {
    struct active_job* job = &jobs_[slot];
    if (job->state == JOB_FREE || now_ns < job->deadline_ns) continue;
    if (job->state == JOB_RUNNING) {
      look_at(slot, now_ns);
    } else if (job->state == JOB_RESETTING || !reset_engines(job, now_ns)) {
      die(slot, now_ns);
    }
  }
}

void jobs_abort_queue(uint32_t slot) {
  for (uint32_t i = 0; i < kJobsAtATime; ++i) {
    struct active_job* job = &jobs_[i];
    if (job->state == JOB_RUNNING && !job->orphan && job->queue == slot) stop(i, NPU_JOB_ABORTED, NPU_FAULT_NONE);
  }
}

uint32_t jobs_running(void) {
  uint32_t running = 0;
  for (uint32_t i = 0; i < kJobsAtATime; ++i) running += jobs_[i].state != JOB_FREE;
  return running;
}

void jobs_abort_all(void) {
  for (uint32_t i = 0; i < kJobsAtATime; ++i) {
    if (jobs_[i].state == JOB_RUNNING) stop(i, NPU_JOB_ABORTED, NPU_FAULT_NONE);
  }
}

bool jobs_busy_with(uint32_t slot) {
  for (uint32_t i = 0; i < kJobsAtATime; ++i) {
    if (jobs_[i].state != JOB_FREE && !jobs_[i].orphan && jobs_[i].queue == slot) return true;
  }
  return false;
}

void jobs_forget_function(uint32_t function) {
  if (last_function_ == function) task_manager_clear_memories();
  for (uint32_t i = 0; i < kJobsAtATime; ++i) {
    struct active_job* job = &jobs_[i];
    if (job->state == JOB_FREE || job->orphan || queue_function(job->queue) != function) continue;
    job->orphan = true;
    if (job->state == JOB_RUNNING) stop(i, NPU_JOB_ABORTED, NPU_FAULT_NONE);
  }
}

bool jobs_orphan_runs(void) {
  for (uint32_t i = 0; i < kJobsAtATime; ++i) {
    if (jobs_[i].state != JOB_FREE && jobs_[i].orphan) return true;
  }
  return false;
}
