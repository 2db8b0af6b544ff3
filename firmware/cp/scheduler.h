// SPDX-License-Identifier: Apache-2.0
/*
 * Whose submission is next. Three steps, each of which bounds how long anybody with work waits:
 *
 *   function   the one that has had the least of the card's time (all have the same weight). Priorities do not count
 *              here: a virtual machine cannot take time from another one by calling its jobs urgent.
 *   context    of that function: strictly by priority (firmware/abi/context.h), where a context that waits rises by a
 *              level each NPU_PRIORITY_AGING_MS; within a level the one that has had the least time.
 *   queue      of that context: in turn.
 *
 * Time is what a job had the card for: from the fetch of its submission to its end, so that neither long jobs nor many
 * tiny or refused ones get more than their share. It is kept as virtual time (start-time fair queueing): who comes
 * with work after a pause starts at the time of the one served last, and neither saves up nor owes.
 *
 * Bounds. A job is never preempted. A function that comes with work after a pause gets the card after the job that runs
 * and at most one of each other function; one that is always busy gets its share, give or take a job. Within it, a
 * context of priority p is served at the latest after (NPU_PRIORITY_URGENT - p) * NPU_PRIORITY_AGING_MS and one job of
 * each context that is urgent by then. What the firmware spends on doorbells and messages is on nobody's account, but
 * each round of its main loop takes one of either from each function at most.
 */
#pragma once

#include <stdint.h>

void scheduler_init(void);

/* A context was created: it starts with the time of those that are served now. */
void scheduler_add(uint32_t context);

/* Looks who has work. To be called while the card is busy as well: waiting counts from the first time it is seen. */
void scheduler_look(uint64_t now_ns);

/* Slot of the queue to serve, one that is ready (queues.h); -1 if none is. Call scheduler_look() before. */
int scheduler_next(uint64_t now_ns);

/* The context, and its function, had the card for `ns`. */
void scheduler_charge(uint32_t context, uint64_t ns);
