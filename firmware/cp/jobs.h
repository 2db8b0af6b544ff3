// SPDX-License-Identifier: Apache-2.0
/*
 * Runs submissions, as many at a time as the Task Manager has job slots, in the order that scheduler.h decides:
 *
 *   FREE --jobs_start_next--> RUNNING --Task Manager ends--> completion, FREE
 *                                \--over a limit, killed--> STOPPING --Task Manager ends--> completion, FREE
 *                 kStopTimeoutNs: the engines that hold its commands are reset --\--> RESETTING --ends--> the same
 *                                 kStopTimeoutNs, or no engine to blame: the card is dead until it is reset --\
 *
 * Limits of a job: its own time-out, its context's job limit, one second for a virtual function; and the context's hang
 * limit, which looks at the Task Manager's count of retired commands: if it has not moved for that long, the job hangs.
 * (It is sampled once a limit, so a hang is found after one to two of them.) Each job that fails or is stopped by a
 * limit leaves a fault record (faults.h) before its completion. Nothing here waits for a job; the main loop sleeps
 * until the Task Manager, a doorbell, a message or jobs_deadline().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* `neural_engines`: how many the card has. */
void jobs_init(uint32_t neural_engines);

/* If a job slot is free: takes the next submission and starts or completes it. False if there was nothing to do. */
bool jobs_start_next(void);

/* Completes the next submission of a queue that drains, if it has one, as NPU_JOB_ABORTED. Needs no job slot. False if
 * there was nothing to do. */
bool jobs_abort_next(uint32_t queue);

/* The Task Manager has interrupted. */
void jobs_serve_task_manager(void);

/* When jobs_serve_time must be called, card time in ns; ACLINT_NEVER if no job has a limit. */
uint64_t jobs_deadline(void);
void jobs_serve_time(uint64_t now_ns);

/* How many jobs run or stop. */
uint32_t jobs_running(void);

/* Stops all jobs; they complete as NPU_JOB_ABORTED. */
void jobs_abort_all(void);

/* Stops the job of the queue in `slot`, if one runs; it completes as NPU_JOB_ABORTED. */
void jobs_abort_queue(uint32_t slot);

/* Whether a job of that queue runs or stops. */
bool jobs_busy_with(uint32_t slot);

/* `function` was reset: stops its jobs, which complete nowhere, and keeps the next one from seeing what they left
 * behind. */
void jobs_forget_function(uint32_t function);

/* Whether such a job still runs; it may still write its function's share. */
bool jobs_orphan_runs(void);
