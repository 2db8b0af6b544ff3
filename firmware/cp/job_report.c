// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/job_report.h"

#include "firmware/cp/contexts.h"
#include "firmware/cp/faults.h"
#include "firmware/cp/functions.h"
#include "firmware/cp/queues.h"
#include "firmware/cp/staging.h"
#include "firmware/cp/submissions.h"

/* The end of a job that had to be stopped, unless it came to one of its own just before. */
static bool was_stopped(const struct active_job* job, const struct task_manager_end* end) {
  if (job->state >= JOB_RESETTING) return true; /* any fault is that of the command that was abandoned */
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
static void name_place(const struct active_job* job, const struct task_manager_end* end,
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
  if (!staging_command(job->place, end->fault_command, &header)) return;
  record->block = header.kind;
  record->engine = header.engine;
  if (header.kind >= NPU_COMMAND_NEURAL_DMA && header.kind <= NPU_COMMAND_DEVICE_HDMA) {
    record->flags |= NPU_FAULT_RECORD_POSITION;
    record->position = end->fault_position;
  }
  if (header.kind == NPU_COMMAND_NEURAL_ENGINE) record->engine &= ~NPU_ENGINE_VECTOR_QUEUE;
  if (header.kind == NPU_COMMAND_NEURAL_ENGINE || header.kind == NPU_COMMAND_NEURAL_DMA) {
    record->engine = part_engine(&job->part, record->engine);
  }
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

static void record_end(const struct active_job* job, const struct task_manager_end* end,
                       const struct npu_completion* completion) {
  struct npu_fault_record record = submission_record(job->queue, job->context, completion);
  name_place(job, end, &record);
  if (job->engine_reset) record.flags |= NPU_FAULT_RECORD_ENGINE_RESET;
  if (job->state == JOB_LOST) record.flags |= NPU_FAULT_RECORD_CARD_DEAD;
  if (submission_failed(completion->status) && context_fail(job->context)) {
    record.flags |= NPU_FAULT_RECORD_CONTEXT_STOPPED;
  }
  say_end(&record);
  faults_record(&record);
}

void job_report(const struct active_job* job, const struct task_manager_end* end) {
  struct npu_completion completion = completion_of(job, end);
  if (submission_failed(completion.status) || job->engine_reset) record_end(job, end, &completion);
  submission_complete(job->queue, job->context, job->slot, &completion);
}
