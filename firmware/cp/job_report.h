// SPDX-License-Identifier: Apache-2.0
/* What the end of a job of the Task Manager is told as: completion, fault record, console. */
#pragma once

#include "firmware/abi/queue.h"
#include "firmware/cp/active_job.h"
#include "firmware/lib/task_manager.h"

/* Completes the job, after a record if it failed or an engine was reset for it. */
void job_report(const struct active_job* job, const struct task_manager_end* end);
