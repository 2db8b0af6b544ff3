// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/jobs.h"

#include <stddef.h>

#include "firmware/cp/functions.h"
#include "firmware/cp/queues.h"
#include "firmware/cp/staging.h"
#include "firmware/cp/validate.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/host_address.h"
#include "firmware/lib/log.h"
#include "firmware/lib/mailbox.h"
#include "firmware/lib/task_manager.h"
#include "npu/registers/mailbox.h"

enum job_state { JOB_IDLE, JOB_RUNNING, JOB_STOPPING, JOB_DEAD };

/* After an abort only commands in flight finish; none takes this long. */
static const uint64_t kStopTimeoutNs = 1000 * ACLINT_NS_PER_MS;

static enum job_state state_;
static uint32_t slot_; /* of the job's queue, unless idle or dead */
static uint64_t job_;  /* number the host gave it */
static uint64_t start_ns_;
static uint64_t deadline_ns_;
static enum npu_job_status stop_status_; /* why it is being stopped */
static bool orphan_;                     /* its function was reset: nobody is told of its end */
static uint32_t last_function_;          /* whose job ran last */

/* A virtual function's job may not keep the card from the others for longer. */
static const uint64_t kVirtualFunctionLimitNs = ACLINT_NS_PER_S;

/* The job's validated segments. The Task Manager reads them here while the job runs. */
_Alignas(64) static struct npu_segment segments_[NPU_MAX_SEGMENTS];

void jobs_init(void) {
  state_ = JOB_IDLE;
  orphan_ = false;
  last_function_ = 0;
  deadline_ns_ = ACLINT_NEVER;
}

/* Completes a submission that never reached the Task Manager. */
static void complete_unstarted(uint32_t slot, uint64_t job, enum npu_job_status status, enum npu_fault fault,
                               uint64_t fault_address) {
  uint64_t now = aclint_time_ns();
  struct npu_completion completion = {
      .job = job,
      .status = status,
      .fault = fault,
      .fault_address = fault_address,
      .start_ns = now,
      .end_ns = now,
  };
  queue_complete(slot, &completion);
}

static void refuse(uint32_t slot, uint64_t job, const char* what, const char* reason) {
  function_log(queue_function(slot), "queue %u: job %lu refused: %s: %s", queue_number(slot), (unsigned long)job, what,
               reason);
  complete_unstarted(slot, job, NPU_JOB_BAD_SUBMISSION, NPU_FAULT_NONE, 0);
}

static void fail_fetch(uint32_t slot, uint64_t job, const char* what, uint64_t address, enum dma_result result) {
  function_log(queue_function(slot), "queue %u: job %lu failed: %s at %lx unreadable: %s", queue_number(slot),
               (unsigned long)job, what, (unsigned long)address, dma_result_name(result));
  complete_unstarted(slot, job, NPU_JOB_FAULT, NPU_FAULT_FETCH, address);
}

/* Brings the segment table into the TCM and checks it; false if the job was completed because of it. */
static bool fetch_segments(uint32_t slot, const struct npu_submission* submission) {
  enum dma_result result =
      dma_copy(queue_function(slot), dma_address(segments_), host_to_card(submission->segment_table),
               submission->segment_count * (uint32_t)sizeof(segments_[0]));
  if (result != DMA_OK) {
    fail_fetch(slot, submission->job, "segment table", submission->segment_table, result);
    return false;
  }
  for (uint32_t i = 0; i < submission->segment_count; ++i) {
    const char* reason = validate_segment(&segments_[i], function_share(queue_function(slot)));
    if (reason) {
      function_log(queue_function(slot), "queue %u: segment %u: base %lx size %lx", queue_number(slot), i,
                   (unsigned long)segments_[i].base, (unsigned long)segments_[i].size);
      refuse(slot, submission->job, "segment", reason);
      return false;
    }
  }
  const char* reason = validate_commands(submission, &segments_[submission->command_segment]);
  if (reason) refuse(slot, submission->job, "commands", reason);
  return reason == NULL;
}

static bool stage_commands(uint32_t slot, const struct npu_submission* submission) {
  struct staging_result result = staging_copy(queue_function(slot), &segments_[submission->command_segment],
                                              submission->command_offset, submission->command_bytes);
  switch (result.status) {
    case STAGING_OK:
      return true;
    case STAGING_UNREADABLE:
      fail_fetch(slot, submission->job, "command stream", result.address, result.dma);
      return false;
    case STAGING_BAD_PAGE:
      refuse(slot, submission->job, "page list", "not a page the card can reach");
      return false;
  }
  return false;
}

static uint64_t deadline_of(const struct npu_submission* submission) {
  uint64_t limit = submission->timeout_us * ACLINT_NS_PER_US;
  if (last_function_ != 0 && (limit == 0 || limit > kVirtualFunctionLimitNs)) limit = kVirtualFunctionLimitNs;
  return limit == 0 ? ACLINT_NEVER : start_ns_ + limit;
}

static void execute(uint32_t slot, const struct npu_submission* submission) {
  if (!fetch_segments(slot, submission) || !stage_commands(slot, submission)) return;
  struct task_manager_job job = {
      .commands = STAGING_ADDRESS,
      .command_bytes = submission->command_bytes,
      .context = submission->context,
      .function = queue_function(slot),
      .segments = dma_address(segments_),
      .segment_count = submission->segment_count,
  };
  start_ns_ = aclint_time_ns();
  if (!task_manager_start(&job)) {
    function_log(queue_function(slot), "queue %u: job %lu aborted: the Task Manager is busy", queue_number(slot),
                 (unsigned long)submission->job);
    complete_unstarted(slot, submission->job, NPU_JOB_ABORTED, NPU_FAULT_NONE, 0);
    return;
  }
  state_ = JOB_RUNNING;
  slot_ = slot;
  job_ = submission->job;
  orphan_ = false;
  last_function_ = queue_function(slot);
  deadline_ns_ = deadline_of(submission);
}

static bool running(void) {
  return state_ == JOB_RUNNING || state_ == JOB_STOPPING;
}

bool jobs_start_next(void) {
  if (running()) return false;
  int next = queue_next_ready();
  if (next < 0) return false;
  uint32_t slot = (uint32_t)next;
  uint64_t address = queue_submission_address(slot);
  struct npu_submission submission;
  enum dma_result result = queue_fetch(slot, &submission);
  if (result != DMA_OK) {
    fail_fetch(slot, 0, "submission", address, result);
    return true;
  }
  if (queue_draining(slot) || state_ == JOB_DEAD) {
    complete_unstarted(slot, submission.job, NPU_JOB_ABORTED, NPU_FAULT_NONE, 0);
    return true;
  }
  const char* reason = validate_submission(&submission, queue_context(slot));
  if (reason) {
    refuse(slot, submission.job, "submission", reason);
  } else if (submission.opcode == NPU_SUBMIT_NOP) {
    complete_unstarted(slot, submission.job, NPU_JOB_OK, NPU_FAULT_NONE, 0);
  } else {
    execute(slot, &submission);
  }
  return true;
}

static enum npu_job_status status_of(const struct task_manager_end* end) {
  if (!end->error) return NPU_JOB_OK; /* also when it ended just before it was to be stopped */
  if (end->fault != NPU_FAULT_NONE) return NPU_JOB_FAULT;
  return state_ == JOB_STOPPING ? stop_status_ : NPU_JOB_ABORTED;
}

void jobs_serve_task_manager(void) {
  struct task_manager_end end;
  if (!task_manager_take_end(&end)) return;
  if (state_ == JOB_IDLE || state_ == JOB_DEAD) {
    log_line("the Task Manager ended a job that nobody waits for");
    return;
  }
  if (orphan_) {
    state_ = JOB_IDLE;
    deadline_ns_ = ACLINT_NEVER;
    return;
  }
  struct npu_completion completion = {
      .job = job_,
      .status = status_of(&end),
      .fault = end.fault,
      .fault_address = end.fault_address,
      .fault_command = end.fault_command,
      .commands = end.retired,
      .start_ns = end.start_ns,
      .end_ns = end.end_ns,
  };
  if (completion.status != NPU_JOB_OK) {
    function_log(queue_function(slot_), "queue %u: job %lu ended with status %u, fault %u at command %u, address %lx",
                 queue_number(slot_), (unsigned long)job_, completion.status, completion.fault,
                 completion.fault_command, (unsigned long)completion.fault_address);
  }
  state_ = JOB_IDLE;
  deadline_ns_ = ACLINT_NEVER;
  queue_complete(slot_, &completion);
}

static void stop(enum npu_job_status status) {
  task_manager_abort();
  state_ = JOB_STOPPING;
  stop_status_ = status;
  deadline_ns_ = aclint_time_ns() + kStopTimeoutNs;
}

uint64_t jobs_deadline(void) {
  return deadline_ns_;
}

void jobs_serve_time(uint64_t now_ns) {
  if (now_ns < deadline_ns_) return;
  if (state_ == JOB_RUNNING) {
    function_log(queue_function(slot_), "queue %u: job %lu timed out after %lu us", queue_number(slot_),
                 (unsigned long)job_, (unsigned long)((now_ns - start_ns_) / ACLINT_NS_PER_US));
    stop(NPU_JOB_TIMEOUT);
  } else if (state_ == JOB_STOPPING) {
    log_line("the Task Manager does not stop: reset the card");
    state_ = JOB_DEAD;
    deadline_ns_ = ACLINT_NEVER;
    mailbox_set_card_state(MAILBOX_HOST_CARD_STATE_STATE_FAULT);
    if (!orphan_) complete_unstarted(slot_, job_, stop_status_, NPU_FAULT_NONE, 0);
  }
}

void jobs_abort_queue(uint32_t slot) {
  if (state_ == JOB_RUNNING && !orphan_ && slot_ == slot) stop(NPU_JOB_ABORTED);
}

bool jobs_busy_with(uint32_t slot) {
  return running() && !orphan_ && slot_ == slot;
}

void jobs_forget_function(uint32_t function) {
  if (last_function_ == function) task_manager_clear_memories();
  if (!running() || orphan_ || queue_function(slot_) != function) return;
  orphan_ = true;
  if (state_ == JOB_RUNNING) stop(NPU_JOB_ABORTED);
}

bool jobs_orphan_runs(void) {
  return running() && orphan_;
}
