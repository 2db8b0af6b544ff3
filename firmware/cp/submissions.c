// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/submissions.h"

#include <stddef.h>

#include "firmware/cp/address_spaces.h"
#include "firmware/cp/contexts.h"
#include "firmware/cp/faults.h"
#include "firmware/cp/functions.h"
#include "firmware/cp/queues.h"
#include "firmware/cp/scheduler.h"
#include "firmware/cp/staging.h"
#include "firmware/cp/telemetry.h"
#include "firmware/cp/validate.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/host_address.h"
#include "firmware/lib/task_manager.h"

/* What a submission costs at least, so that no number of them is free. */
static const uint64_t kLeastChargeNs = 1000;

/* Each job's validated segments. The Task Manager reads them here while the job runs. */
_Alignas(64) static struct npu_segment segments_[TASK_MANAGER_MAX_SLOTS][NPU_MAX_SEGMENTS];

struct npu_fault_record submission_record(uint32_t queue, uint32_t context, const struct npu_completion* completion) {
  return (struct npu_fault_record){
      .function = queue_function(queue),
      .context = context_id(context),
      .queue = (uint16_t)queue_number(queue),
      .asid = (uint16_t)context_asid(context),
      .job = completion->job,
      .status = completion->status,
      .fault = completion->fault,
      .command = NPU_FAULT_NO_COMMAND,
      .retired = completion->commands,
      .address = completion->fault_address,
      .start_ns = completion->start_ns,
  };
}

bool submission_failed(uint32_t status) {
  return status != NPU_JOB_OK && status != NPU_JOB_ABORTED;
}

void submission_complete(uint32_t queue, uint32_t context, uint64_t taken_ns, struct npu_completion* completion) {
  uint64_t cost = aclint_time_ns() - taken_ns;
  context_count_end(context, completion->status, completion->end_ns - completion->start_ns);
  scheduler_charge(context, cost < kLeastChargeNs ? kLeastChargeNs : cost);
  telemetry_count_job(completion->status);
  queue_complete(queue, completion);
}

void submission_end(const struct taken* taken, enum npu_job_status status, enum npu_fault fault,
                    uint64_t fault_address) {
  uint64_t now = aclint_time_ns();
  struct npu_completion completion = {
      .job = taken->submission.job,
      .status = status,
      .fault = fault,
      .fault_address = fault_address,
      .start_ns = now,
      .end_ns = now,
  };
  if (submission_failed(status)) {
    struct npu_fault_record record = submission_record(taken->queue, taken->context, &completion);
    if (context_fail(taken->context)) record.flags |= NPU_FAULT_RECORD_CONTEXT_STOPPED;
    faults_record(&record);
  }
  submission_complete(taken->queue, taken->context, taken->taken_ns, &completion);
}

static void refuse(const struct taken* taken, const char* what, const char* reason) {
  function_log(queue_function(taken->queue), "queue %u: job %lu refused: %s: %s", queue_number(taken->queue),
               (unsigned long)taken->submission.job, what, reason);
  submission_end(taken, NPU_JOB_BAD_SUBMISSION, NPU_FAULT_NONE, 0);
}

static void fail_fetch(const struct taken* taken, const char* what, uint64_t address, enum dma_result result) {
  function_log(queue_function(taken->queue), "queue %u: job %lu failed: %s at %lx unreadable: %s",
               queue_number(taken->queue), (unsigned long)taken->submission.job, what, (unsigned long)address,
               dma_result_name(result));
  submission_end(taken, NPU_JOB_FAULT, NPU_FAULT_FETCH, address);
}

static const char* check_segment(const struct taken* taken, const struct npu_segment* segment) {
  const char* reason = validate_segment(segment, function_share(queue_function(taken->queue)));
  if (!reason && segment->kind == NPU_SEGMENT_DEVICE &&
      !context_may_use(taken->context, segment->base, segment->size)) {
    reason = "outside the context's ranges";
  }
  return reason;
}

/* Brings the segment table into the TCM and checks it; false if the job was completed because of it. */
static bool fetch_segments(uint32_t slot, const struct taken* taken) {
  const struct npu_submission* submission = &taken->submission;
  struct npu_segment* segments = segments_[slot];
  uint32_t function = queue_function(taken->queue);
  enum dma_result result = dma_copy(function, dma_address(segments), host_to_card(submission->segment_table),
                                    submission->segment_count * (uint32_t)sizeof(segments[0]));
  if (result != DMA_OK) {
    fail_fetch(taken, "segment table", submission->segment_table, result);
    return false;
  }
  for (uint32_t i = 0; i < submission->segment_count; ++i) {
    const char* reason = check_segment(taken, &segments[i]);
    if (reason) {
      function_log(function, "queue %u: segment %u: base %lx size %lx", queue_number(taken->queue), i,
                   (unsigned long)segments[i].base, (unsigned long)segments[i].size);
      refuse(taken, "segment", reason);
      return false;
    }
  }
  const struct npu_segment* commands = &segments[submission->command_segment];
  const char* reason = validate_commands(submission, commands);
  /* The firmware itself reads them, by physical addresses. */
  if (!reason && commands->kind == NPU_SEGMENT_DEVICE &&
      !address_space_readable(taken->context, commands->base + submission->command_offset, submission->command_bytes)) {
    reason = "not mapped in the context";
  }
  if (reason) refuse(taken, "commands", reason);
  return reason == NULL;
}

static bool stage_commands(uint32_t slot, const struct taken* taken) {
  const struct npu_submission* submission = &taken->submission;
  struct staging_result result =
      staging_copy(slot, queue_function(taken->queue), &segments_[slot][submission->command_segment],
                   submission->command_offset, submission->command_bytes);
  switch (result.status) {
    case STAGING_OK:
      return true;
    case STAGING_UNREADABLE:
      fail_fetch(taken, "command stream", result.address, result.dma);
      return false;
    case STAGING_BAD_PAGE:
      refuse(taken, "page list", "not a page the card can reach");
      return false;
  }
  return false;
}

bool submission_take(uint32_t queue, uint64_t now_ns, struct taken* taken) {
  *taken = (struct taken){.queue = queue, .context = queue_context(queue), .taken_ns = now_ns};
  uint64_t address = queue_submission_address(queue);
  context_count_taken(taken->context);
  enum dma_result result = queue_fetch(queue, &taken->submission);
  if (result != DMA_OK) fail_fetch(taken, "submission", address, result);
  return result == DMA_OK;
}

bool submission_prepare(uint32_t slot, const struct taken* taken) {
  return fetch_segments(slot, taken) && stage_commands(slot, taken);
}

void submission_refuse(const struct taken* taken, const char* reason) {
  refuse(taken, "submission", reason);
}

uint64_t submission_segments(uint32_t slot) {
  return dma_address(segments_[slot]);
}
