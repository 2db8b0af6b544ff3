// SPDX-License-Identifier: Apache-2.0
/*
 * Jobs in the slots of the Task Manager: their limits, and how they are stopped. dispatch.h decides which start.
 *
 *   FREE --jobs_start--> RUNNING --Task Manager ends--> completion, FREE
 *                           \--over a limit, killed--> STOPPING --Task Manager ends--> completion, FREE
 *            kStopTimeoutNs: the engines that hold its commands are reset --\--> RESETTING --ends--> the same
 *            kStopTimeoutNs, or no engine to blame: LOST, the card is dead until it is reset --\
 *
 * A context has one job at a time, so that what an engine holds belongs to the job of its ASID: a reset meets nobody
 * else's.
 *
 * Limits of a job: its own time-out, its context's job limit, one second for a virtual function; and the context's hang
 * limit, which looks at the Task Manager's count of retired commands: if it has not moved for that long, the job hangs.
 * (It is sampled once a limit, so a hang is found after one to two of them.) Time for which a job stands still because
 * other jobs have the engines that it shares with them (BLOCKED_NS) counts for neither: a job that hangs in such an
 * engine is found by its own limits, and nobody suffers for it but by waiting. Each job that fails or is stopped by a
 * limit leaves a fault record (faults.h) before its completion. Nothing here waits for a job; the main loop sleeps
 * until the Task Manager, a doorbell, a message or jobs_deadline().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/cp/placement.h"

/* `neural_engines`: how many the card has. */
void jobs_init(uint32_t neural_engines);

/* A slot of the Task Manager that can take a job; -1 if none can. */
int jobs_free_slot(void);

/* Starts the job that waits in `place` (waiting.h), which keeps that place until it ends, on a part of the card of that
 * weight. False, with the job still there: the Task Manager did not take it. */
bool jobs_start(uint32_t slot, uint32_t place, const struct part* part, uint32_t weight, uint64_t now_ns);

/* The parts of the card that jobs have; how many. Room for TASK_MANAGER_MAX_SLOTS. */
uint32_t jobs_parts(struct part* parts);

/* Charges each context for the part of the card that its job has had since the last call. While somebody waits for
 * these jobs, the part of the card that is idle for that reason is on their account too. */
void jobs_charge(uint64_t now_ns);
void jobs_are_waited_for(bool waited_for);

/* The Task Manager has interrupted. */
void jobs_serve_task_manager(void);

/* When jobs_serve_time must be called, card time in ns; ACLINT_NEVER if no job has a limit. */
uint64_t jobs_deadline(void);
void jobs_serve_time(uint64_t now_ns);

/* How many jobs run or stop. */
uint32_t jobs_running(void);

/* A job could not be stopped: nothing is started any more. */
bool jobs_dead(void);

/* Stops all jobs; they complete as NPU_JOB_ABORTED. */
void jobs_abort_all(void);

/* Stops the job of the queue in `slot`, if one runs; it completes as NPU_JOB_ABORTED. */
void jobs_abort_queue(uint32_t slot);

/* Whether a job of that queue, or of that context, runs or stops. */
bool jobs_busy_with(uint32_t slot);
bool jobs_context_runs(uint32_t context);

/* Bit n: context n has such a job. */
uint64_t jobs_contexts(void);

/* `function` was reset: stops its jobs, which complete nowhere, and keeps the next one from seeing what they left
 * behind. */
void jobs_forget_function(uint32_t function);

/* Whether such a job still runs; it may still write its function's share. */
bool jobs_orphan_runs(void);
