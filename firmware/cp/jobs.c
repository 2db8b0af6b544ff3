// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/jobs.h"

#include <stddef.h>

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

static const struct board* board_;
static enum job_state state_;
static uint32_t queue_; /* of the job, unless idle or dead */
static uint64_t job_;   /* number the host gave it */
static uint64_t start_ns_;
static uint64_t deadline_ns_;
static enum npu_job_status stop_status_; /* why it is being stopped */

/* The job's validated segments. The Task Manager reads them here while the job runs. */
_Alignas(64) static struct npu_segment segments_[NPU_MAX_SEGMENTS];

void jobs_init(const struct board* board) {
  board_ = board;
  state_ = JOB_IDLE;
  deadline_ns_ = ACLINT_NEVER;
}

/* Completes a submission that never reached the Task Manager. */
static void complete_unstarted(uint32_t queue, uint64_t job, enum npu_job_status status, enum npu_fault fault,
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
  queue_complete(queue, &completion);
}

static void refuse(uint32_t queue, uint64_t job, const char* what, const char* reason) {
  log_line("queue %u: job %lu refused: %s: %s", queue, (unsigned long)job, what, reason);
  complete_unstarted(queue, job, NPU_JOB_BAD_SUBMISSION, NPU_FAULT_NONE, 0);
}

static void fail_fetch(uint32_t queue, uint64_t job, const char* what, uint64_t address, enum dma_result result) {
  log_line("queue %u: job %lu failed: %s at %lx unreadable: %s", queue, (unsigned long)job, what,
           (unsigned long)address, dma_result_name(result));
  complete_unstarted(queue, job, NPU_JOB_FAULT, NPU_FAULT_FETCH, address);
}

/* Brings the segment table into the TCM and checks it; false if the job was completed because of it. */
static bool fetch_segments(uint32_t queue, const struct npu_submission* submission) {
  enum dma_result result = dma_copy(dma_address(segments_), host_to_card(submission->segment_table),
                                    submission->segment_count * (uint32_t)sizeof(segments_[0]));
  if (result != DMA_OK) {
    fail_fetch(queue, submission->job, "segment table", submission->segment_table, result);
    return false;
  }
  for (uint32_t i = 0; i < submission->segment_count; ++i) {
    const char* reason = validate_segment(&segments_[i], board_);
    if (reason) {
      log_line("queue %u: segment %u: base %lx size %lx", queue, i, (unsigned long)segments_[i].base,
               (unsigned long)segments_[i].size);
      refuse(queue, submission->job, "segment", reason);
      return false;
    }
  }
  const char* reason = validate_commands(submission, &segments_[submission->command_segment]);
  if (reason) refuse(queue, submission->job, "commands", reason);
  return reason == NULL;
}

static bool stage_commands(uint32_t queue, const struct npu_submission* submission) {
  struct staging_result result =
      staging_copy(&segments_[submission->command_segment], submission->command_offset, submission->command_bytes);
  switch (result.status) {
    case STAGING_OK:
      return true;
    case STAGING_UNREADABLE:
      fail_fetch(queue, submission->job, "command stream", result.address, result.dma);
      return false;
    case STAGING_BAD_PAGE:
      refuse(queue, submission->job, "page list", "not a page the card can reach");
      return false;
  }
  return false;
}

static void execute(uint32_t queue, const struct npu_submission* submission) {
  if (!fetch_segments(queue, submission) || !stage_commands(queue, submission)) return;
  struct task_manager_job job = {
      .commands = STAGING_ADDRESS,
      .command_bytes = submission->command_bytes,
      .context = submission->context,
      .segments = dma_address(segments_),
      .segment_count = submission->segment_count,
  };
  start_ns_ = aclint_time_ns();
  if (!task_manager_start(&job)) {
    log_line("queue %u: job %lu aborted: the Task Manager is busy", queue, (unsigned long)submission->job);
    complete_unstarted(queue, submission->job, NPU_JOB_ABORTED, NPU_FAULT_NONE, 0);
    return;
  }
  state_ = JOB_RUNNING;
  queue_ = queue;
  job_ = submission->job;
  deadline_ns_ = submission->timeout_us == 0 ? ACLINT_NEVER : start_ns_ + submission->timeout_us * ACLINT_NS_PER_US;
}

bool jobs_start_next(void) {
  if (state_ == JOB_RUNNING || state_ == JOB_STOPPING) return false;
  int next = queue_next_ready();
  if (next < 0) return false;
  uint32_t queue = (uint32_t)next;
  uint64_t address = queue_submission_address(queue);
  struct npu_submission submission;
  enum dma_result result = queue_fetch(queue, &submission);
  if (result != DMA_OK) {
    fail_fetch(queue, 0, "submission", address, result);
    return true;
  }
  if (queue_draining(queue) || state_ == JOB_DEAD) {
    complete_unstarted(queue, submission.job, NPU_JOB_ABORTED, NPU_FAULT_NONE, 0);
    return true;
  }
  const char* reason = validate_submission(&submission, queue_context(queue));
  if (reason) {
    refuse(queue, submission.job, "submission", reason);
  } else if (submission.opcode == NPU_SUBMIT_NOP) {
    complete_unstarted(queue, submission.job, NPU_JOB_OK, NPU_FAULT_NONE, 0);
  } else {
    execute(queue, &submission);
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
    log_line("queue %u: job %lu ended with status %u, fault %u at command %u, address %lx", queue_, (unsigned long)job_,
             completion.status, completion.fault, completion.fault_command, (unsigned long)completion.fault_address);
  }
  state_ = JOB_IDLE;
  deadline_ns_ = ACLINT_NEVER;
  queue_complete(queue_, &completion);
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
    log_line("queue %u: job %lu timed out after %lu us", queue_, (unsigned long)job_,
             (unsigned long)((now_ns - start_ns_) / ACLINT_NS_PER_US));
    stop(NPU_JOB_TIMEOUT);
  } else if (state_ == JOB_STOPPING) {
    log_line("the Task Manager does not stop: reset the card");
    state_ = JOB_DEAD;
    deadline_ns_ = ACLINT_NEVER;
    mailbox_set_card_state(MAILBOX_HOST_CARD_STATE_STATE_FAULT);
    complete_unstarted(queue_, job_, stop_status_, NPU_FAULT_NONE, 0);
  }
}

void jobs_abort_queue(uint32_t queue) {
  if (state_ == JOB_RUNNING && queue_ == queue) stop(NPU_JOB_ABORTED);
}

bool jobs_busy_with(uint32_t queue) {
  return (state_ == JOB_RUNNING || state_ == JOB_STOPPING) && queue_ == queue;
}
