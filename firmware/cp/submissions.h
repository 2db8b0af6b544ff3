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

/* A submission that was taken from its ring. */
struct taken {
  uint32_t queue; /* slot in queues.h */
  uint32_t context;
  uint64_t taken_ns;
  struct npu_submission submission;
};

/* Takes the next submission of a ready queue; false if it was completed because it cannot be read. */
bool submission_take(uint32_t queue, uint64_t now_ns, struct taken* taken);

/*
 * Brings segment table and command stream of a valid submission to the places of Task Manager slot `slot`, checked;
 * false if it was completed because of them.
 */
bool submission_prepare(uint32_t slot, const struct taken* taken);

/* Card physical address of the slot's segment table, which the Task Manager reads while the job runs. */
uint64_t submission_segments(uint32_t slot);

/* Completes a submission that never reached the Task Manager, with a record if it failed; the second for `reason`. */
void submission_end(const struct taken* taken, enum npu_job_status status, enum npu_fault fault,
                    uint64_t fault_address);
void submission_refuse(const struct taken* taken, const char* reason);

/* Accounts for a job that was taken at `taken_ns`, then tells the host. */
void submission_complete(uint32_t queue, uint32_t context, uint64_t taken_ns, struct npu_completion* completion);

/* A record of the job, as far as the completion tells. */
struct npu_fault_record submission_record(uint32_t queue, uint32_t context, const struct npu_completion* completion);

/* Whether `status` (enum npu_job_status) is a failure: neither success nor the host's own wish. */
bool submission_failed(uint32_t status);
