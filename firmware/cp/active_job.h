// SPDX-License-Identifier: Apache-2.0
/* A job of the Task Manager, in one of its slots: what jobs.c keeps of it, and job_report.c tells. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/status.h"
#include "firmware/cp/placement.h"
#include "firmware/lib/engines.h"

enum job_state { JOB_FREE, JOB_RUNNING, JOB_STOPPING, JOB_RESETTING, JOB_LOST }; /* states in jobs.h */

struct active_job {
  enum job_state state;
  bool orphan;    /* its function was reset: nobody is told of its end */
  uint32_t slot;  /* of the Task Manager */
  uint32_t place; /* in staging.h */
  uint32_t queue; /* slot in queues.h */
  uint32_t context;
  uint64_t job; /* number the host gave it */
  uint32_t commands;
  struct part part;  /* of the card */
  uint32_t weight;   /* of the part */
  uint32_t priority; /* in the Task Manager */
  uint64_t rises_ns; /* when that rises by a level */
  uint64_t start_ns;
  uint64_t charged_ns; /* its time until then is on its context's account */
  uint64_t blocked_ns; /* for which others had its queues, at the last look */
  uint64_t end_ns;     /* of its time */
  uint64_t hang_limit_ns;
  uint64_t hangs_ns;               /* unless something retires until then */
  uint32_t retired;                /* at the last look */
  uint64_t deadline_ns;            /* when something must be done about it */
  enum npu_job_status stop_status; /* why it is being stopped */
  enum npu_fault stop_fault;
  bool engine_reset;     /* one did not stop by itself */
  struct engine_work at; /* what an engine was doing for it then; kind 0: nothing */
};
