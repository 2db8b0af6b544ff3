// SPDX-License-Identifier: Apache-2.0
/*
 * Contexts (firmware/abi/context.h): what the jobs of one program may use, and what they have done. Contexts of all
 * functions stand in one table, as many of each function as it has queues; a `context` is a place in it. Its address
 * space id, which the hardware gets with each job, is that place + 1: 0 is the firmware's and the host's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/context.h"
#include "firmware/cp/functions.h"
#include "firmware/cp/queues.h"
#include "firmware/cp/validate.h"

#define CONTEXT_SLOTS QUEUE_SLOTS

/* Each job that was taken from a ring counts once more in exactly one of the others when it ends. */
struct context_counters {
  uint32_t taken;
  uint32_t ok;
  uint32_t failed; /* refused, faulty, or over a limit */
  uint32_t aborted;
  uint64_t card_ns;     /* for which they had the card, or a part of it */
  uint64_t share_ns;    /* the same times the part they had */
  uint64_t firmware_ns; /* that the firmware spent on them, on doorbells and on messages about the context */
};

void contexts_init(void);

static inline uint32_t context_function(uint32_t context) {
  return queue_function(context);
}
static inline uint32_t context_asid(uint32_t context) {
  return context + 1;
}

/* The function's context of that id; -1 if there is none. */
int context_find(uint32_t function, uint32_t id);

/* A context with valid arguments and no queues; -1 if the function has as many as it may. */
int context_create(uint32_t function, const struct context_arguments* arguments);

/* A context for queues whose host made none: default rights, ends with its last queue. -1 as above. */
int context_create_implicit(uint32_t function, uint32_t id);

/* It has no queues. */
void context_remove(uint32_t context);

/* Removes all of a function that was reset. */
void contexts_remove_function(uint32_t function);
bool contexts_exist(void);

/* Bit n: the function's n-th place, context queue_slot(function, n), holds a context. */
uint32_t contexts_of(uint32_t function);

/* The function's queue `queue` (a number within it) belongs to the context from now on, or no longer. */
void context_join(uint32_t context, uint32_t queue);
void context_leave(uint32_t context, uint32_t queue);
/* Bit n: queue n of the function belongs to it. */
uint32_t context_queues(uint32_t context);

uint32_t context_id(uint32_t context);
uint32_t context_priority(uint32_t context);

/* The longest that a job may run, and go without retiring a command, in ns; ACLINT_NEVER: no limit. */
uint64_t context_job_limit_ns(uint32_t context);
uint64_t context_hang_limit_ns(uint32_t context);

/* Whether [base, base + bytes) of the card's DRAM, which the function may use, is the context's to use as well. */
bool context_may_use(uint32_t context, uint64_t base, uint64_t bytes);

/* A fault ended it, or would have: true if it takes no more jobs from now on. */
bool context_fail(uint32_t context);
bool context_stopped(uint32_t context);

/* Bookkeeping. `status`: enum npu_job_status. */
void context_count_taken(uint32_t context);
void context_count_end(uint32_t context, uint32_t status, uint64_t card_ns);
void context_count_share(uint32_t context, uint64_t ns);
void context_count_firmware(uint32_t context, uint64_t ns);
const struct context_counters* context_counters(uint32_t context);
