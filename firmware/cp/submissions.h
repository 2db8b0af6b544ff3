// SPDX-License-Identifier: Apache-2.0
/*
 * A submission on its way: out of its ring, with everything that it names checked and copied to where the host cannot
 * change it any more, and at its end into the accounts and the completion ring.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/fault.h"
#include "firmware/abi/queue.h"

/* What a submission comes to. It is told when its turn has come: what was taken before it ends before it. */
struct verdict {
  bool runs; /* it is a job for the Task Manager; else it ends so: */
  enum npu_job_status status;
  enum npu_fault fault;
  uint64_t fault_address;
};

/* A submission that was taken from its ring. */
struct taken {
  uint32_t queue; /* slot in queues.h */
  uint32_t context;
  struct npu_submission submission;
  struct verdict verdict;
};

/* Takes the next submission of a ready queue. If it cannot be read, its verdict says so. False then. */
bool submission_take(uint32_t queue, struct taken* taken);

/* Checks it, brings segment table and command stream to `place` (staging.h), checks those, and gives the verdict. */
void submission_examine(struct taken* taken, uint32_t place);

/* Card physical address of the segment table in `place`, which the Task Manager reads while the job runs. */
uint64_t submission_segments(uint32_t place);

/* Completes a submission that never reached the Task Manager, with a record if it failed. */
void submission_end(const struct taken* taken, const struct verdict* verdict);
/* The same as NPU_JOB_ABORTED. */
void submission_abort(const struct taken* taken);

/* Accounts for the end of a job that was in `slot` of the Task Manager, or NPU_EVENT_NO_SLOT, then tells the host. */
void submission_complete(uint32_t queue, uint32_t context, uint32_t slot, struct npu_completion* completion);

/* Argument of the events of a job in the log (firmware/abi/event_log.h). */
uint64_t submission_event(uint32_t queue, uint32_t context, uint32_t slot, uint32_t status);

/* A record of the job, as far as the completion tells. */
struct npu_fault_record submission_record(uint32_t queue, uint32_t context, const struct npu_completion* completion);

/* Whether `status` (enum npu_job_status) is a failure: neither success nor the host's own wish. */
bool submission_failed(uint32_t status);
