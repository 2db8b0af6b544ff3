// SPDX-License-Identifier: Apache-2.0
/*
 * Runs submissions, one at a time on the card, in turns of functions and of their queues:
 *
 *   IDLE --jobs_start_next--> RUNNING --Task Manager ends--> completion, IDLE
 *                                \--time-out, queue destroyed--> STOPPING --Task Manager ends--> completion, IDLE
 *                                                                    \--kStopTimeoutNs--> DEAD until the card is reset
 *
 * A job of a virtual function gets one second at most, whatever its time-out. Nothing here waits for a job; the main
 * loop sleeps until the Task Manager, a doorbell, a message or jobs_deadline().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

void jobs_init(void);

/* If no job runs: takes the next submission and starts or completes it. False if there was nothing to do. */
bool jobs_start_next(void);

/* The Task Manager has interrupted. */
void jobs_serve_task_manager(void);

/* When jobs_serve_time must be called, card time in ns; ACLINT_NEVER if no job can time out. */
uint64_t jobs_deadline(void);
void jobs_serve_time(uint64_t now_ns);

/* Stops the job that runs, if it is of the queue in `slot`; it completes as NPU_JOB_ABORTED. */
void jobs_abort_queue(uint32_t slot);

/* Whether a job of that queue runs or stops. */
bool jobs_busy_with(uint32_t slot);

/* `function` was reset: stops its job, which completes nowhere, and keeps the next one from seeing what it left behind.
 */
void jobs_forget_function(uint32_t function);

/* Whether such a job still runs; it may still write its function's share. */
bool jobs_orphan_runs(void);
