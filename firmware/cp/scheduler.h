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
 * Time is what a job had of the card, its duration times its part (placement.h), and what the firmware spent on it, so
 * that neither long jobs nor many tiny or refused ones get more than their share. It is charged while the job runs, and
 * kept as virtual time (start-time fair queueing): who comes with work after a pause starts at the time of the one
 * served last, and neither saves up nor owes.
 *
 * Bounds. A job is never preempted. A function that comes with work after a pause gets the part of the card that it
 * needs after the jobs that run there and at most one of each other function; one that is always busy gets its share,
 * give or take a job. Within it, a context of priority p is served at the latest after (NPU_PRIORITY_URGENT - p) *
 * NPU_PRIORITY_AGING_MS and one job of each context that is urgent by then.
 */
#pragma once

#include <stdint.h>

void scheduler_init(void);

/* A context was created: it starts with the time of those that are served now. */
void scheduler_add(uint32_t context);

/* Looks who has work. To be called while the card is busy as well: waiting counts from the first time it is seen. */
void scheduler_look(uint64_t now_ns);

/* Functions that had jobs at the last look, which wait or run: bit n for function n. */
uint32_t scheduler_active(void);

/* The context whose turn it is, of those that have a job waiting and none running, without those in `skip` (bit n for
 * context n); -1 if there is none. Call scheduler_look() before. */
int scheduler_next(uint64_t now_ns, uint64_t skip);

/* The context had its turn. */
void scheduler_serve(uint32_t context, uint64_t now_ns);

/* Slot of the context's queue to take from next, one that is ready (queues.h) and does not drain; -1 if none is. */
int scheduler_queue(uint32_t context);

/* Priority of a context (enum npu_priority) with what waiting has added to it. */
uint32_t scheduler_level(uint32_t context, uint64_t now_ns);

/* The context, and its function, had the whole card, or the firmware, for `ns`. */
void scheduler_charge(uint32_t context, uint64_t ns);
/* The function had the firmware for something else than a job; `context`: about which of its contexts, -1: none. Who
 * has no job does not pay: it would owe later. */
void scheduler_charge_upkeep(uint32_t function, int context, uint64_t ns);
