// SPDX-License-Identifier: Apache-2.0
/*
 * Runs submissions, one at a time on the card, round robin over the queues:
 *
 *   IDLE --jobs_start_next--> RUNNING --Task Manager ends--> completion, IDLE
 *                                \--time-out, queue destroyed--> STOPPING --Task Manager ends--> completion, IDLE
 *                                                                    \--kStopTimeoutNs--> DEAD until the card is reset
 *
 * Nothing here waits for a job; the main loop sleeps until the Task Manager, a doorbell, a message or jobs_deadline().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/lib/system_controller.h"

/* `board` must outlive all calls. */
void jobs_init(const struct board* board);

/* If no job runs: takes the next submission and starts or completes it. False if there was nothing to do. */
bool jobs_start_next(void);

/* The Task Manager has interrupted. */
void jobs_serve_task_manager(void);

/* When jobs_serve_time must be called, card time in ns; ACLINT_NEVER if no job can time out. */
uint64_t jobs_deadline(void);
void jobs_serve_time(uint64_t now_ns);

/* Stops the job that runs, if it is of `queue`; it completes as NPU_JOB_ABORTED. */
void jobs_abort_queue(uint32_t queue);

/* Whether a job of `queue` runs or stops. */
bool jobs_busy_with(uint32_t queue);
