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
#include "firmware/lib/event_log.h"
#include "firmware/lib/host_address.h"

/* Each job's validated segments. The Task Manager reads them here while the job runs. */
_Alignas(64) static struct npu_segment segments_[STAGING_PLACES][NPU_MAX_SEGMENTS];

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

uint64_t submission_event(uint32_t queue, uint32_t context, uint32_t slot, uint32_t status) {
  return NPU_EVENT_JOB(context_id(context), status, slot, queue_function(queue), queue_number(queue));
}

void submission_complete(uint32_t queue, uint32_t context, uint32_t slot, struct npu_completion* completion) {
  uint64_t begin = aclint_time_ns();
  context_count_end(context, completion->status, completion->end_ns - completion->start_ns);
  telemetry_count_job(completion->status);
  event_log_record(NPU_EVENT_JOB_END, submission_event(queue, context, slot, completion->status), completion->job);
  queue_complete(queue, completion);
  uint64_t cost = aclint_time_ns() - begin;
  context_count_firmware(context, cost);
  scheduler_charge(context, cost);
}

void submission_end(const struct taken* taken, const struct verdict* verdict) {
  uint64_t now = aclint_time_ns();
  struct npu_completion completion = {
      .job = taken->submission.job,
      .status = verdict->status,
      .fault = verdict->fault,
      .fault_address = verdict->fault_address,
      .start_ns = now,
      .end_ns = now,
  };
  if (submission_failed(verdict->status)) {
    struct npu_fault_record record = submission_record(taken->queue, taken->context, &completion);
    if (context_fail(taken->context)) record.flags |= NPU_FAULT_RECORD_CONTEXT_STOPPED;
    faults_record(&record);
  }
  submission_complete(taken->queue, taken->context, NPU_EVENT_NO_SLOT, &completion);
}

void submission_abort(const struct taken* taken) {
  submission_end(taken, &(struct verdict){.status = NPU_JOB_ABORTED});
}

static void refuse(struct taken* taken, const char* what, const char* reason) {
  function_log(queue_function(taken->queue), "queue %u: job %lu refused: %s: %s", queue_number(taken->queue),
               (unsigned long)taken->submission.job, what, reason);
  taken->verdict = (struct verdict){.status = NPU_JOB_BAD_SUBMISSION};
}

static void fail_fetch(struct taken* taken, const char* what, uint64_t address, enum dma_result result) {
  function_log(queue_function(taken->queue), "queue %u: job %lu failed: %s at %lx unreadable: %s",
               queue_number(taken->queue), (unsigned long)taken->submission.job, what, (unsigned long)address,
               dma_result_name(result));
  taken->verdict = (struct verdict){.status = NPU_JOB_FAULT, .fault = NPU_FAULT_FETCH, .fault_address = address};
}

static const char* check_segment(const struct taken* taken, const struct npu_segment* segment) {
  const char* reason = validate_segment(segment, function_share(queue_function(taken->queue)));
  if (!reason && segment->kind == NPU_SEGMENT_DEVICE &&
      !context_may_use(taken->context, segment->base, segment->size)) {
    reason = "outside the context's ranges";
  }
  return reason;
}

/* Brings the segment table into the TCM and checks it; false if the job ends because of it. */
static bool fetch_segments(uint32_t place, struct taken* taken) {
  const struct npu_submission* submission = &taken->submission;
  struct npu_segment* segments = segments_[place];
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

static bool stage_commands(uint32_t place, struct taken* taken) {
  const struct npu_submission* submission = &taken->submission;
  struct staging_result result =
      staging_copy(place, queue_function(taken->queue), &segments_[place][submission->command_segment],
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

bool submission_take(uint32_t queue, struct taken* taken) {
  *taken = (struct taken){.queue = queue, .context = queue_context(queue)};
  uint64_t address = queue_submission_address(queue);
  context_count_taken(taken->context);
  enum dma_result result = queue_fetch(queue, &taken->submission);
  if (result != DMA_OK) fail_fetch(taken, "submission", address, result);
  return result == DMA_OK;
}

void submission_examine(struct taken* taken, uint32_t place) {
  const char* reason = validate_submission(&taken->submission, context_id(taken->context));
  if (reason) {
    refuse(taken, "submission", reason);
  } else if (taken->submission.opcode == NPU_SUBMIT_NOP) {
    taken->verdict = (struct verdict){.status = NPU_JOB_OK};
  } else if (fetch_segments(place, taken) && stage_commands(place, taken)) {
    taken->verdict = (struct verdict){.runs = true};
  }
}

uint64_t submission_segments(uint32_t place) {
  return dma_address(segments_[place]);
}
