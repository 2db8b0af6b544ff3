// SPDX-License-Identifier: Apache-2.0
/*
 * The submission and completion rings in host memory (firmware/abi/queue.h): who has work, where the next entry stands,
 * and how completions get back. All indices come from the host and are checked before use.
 *
 * Queues of all functions stand in one table; a `slot` is a place in it. Rings are reached in the name of the slot's
 * function and nobody else's. A queue that cannot take a completion is broken: it stands still until it is destroyed.
 *
 * The host writes 0 to SQ_TAIL and CQ_HEAD before QUEUE_CREATE. Both are only looked at when a doorbell rings after it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/queue.h"
#include "firmware/cp/functions.h"
#include "firmware/cp/validate.h"
#include "firmware/lib/dma.h"

/* A ring index pair of `entries` (a power of two) slots, one of which stays empty. */
static inline uint32_t ring_used(uint32_t head, uint32_t tail, uint32_t entries) {
  return (tail - head) & (entries - 1);
}
static inline uint32_t ring_next(uint32_t index, uint32_t entries) {
  return (index + 1) & (entries - 1);
}
static inline bool ring_full(uint32_t head, uint32_t tail, uint32_t entries) {
  return ring_used(head, tail, entries) == entries - 1;
}

#define QUEUE_SLOTS (NPU_QUEUES + NPU_MAX_VFS * NPU_VF_QUEUES)

/* Slot of queue `queue` of `function`, which has that many, and back. */
static inline uint32_t queue_slot(uint32_t function, uint32_t queue) {
  return function == 0 ? queue : NPU_QUEUES + (function - 1) * NPU_VF_QUEUES + queue;
}
static inline uint32_t queue_function(uint32_t slot) {
  return slot < NPU_QUEUES ? 0 : (slot - NPU_QUEUES) / NPU_VF_QUEUES + 1;
}
static inline uint32_t queue_number(uint32_t slot) {
  return slot < NPU_QUEUES ? slot : (slot - NPU_QUEUES) % NPU_VF_QUEUES;
}

/* Forgets all queues. */
void queues_init(void);

/* `arguments` are valid for `function` and the queue does not exist. It joins `context` (contexts.h), and leaves it
 * when it is removed. */
void queue_create(uint32_t function, uint32_t context, const struct queue_arguments* arguments);
void queue_remove(uint32_t slot);
bool queue_exists(uint32_t slot);

/* Removes all queues of a function that was reset; its host hears no more of them. */
void queues_remove_function(uint32_t function);
/* Whether any function has a queue. */
bool queues_exist(void);

/* From now on what the queue still holds is not run any more; dispatch_abort_next() completes it. */
void queue_start_draining(uint32_t slot);
bool queue_draining(uint32_t slot);

/* Reads the indices of the function's queues in `doorbells`, bit n for queue n. Wrong ones are logged and ignored.
 * Returns those of the queues that exist. */
uint32_t queues_serve_doorbells(uint32_t function, uint32_t doorbells);

/* How many wrong indices the queue was given. */
uint32_t queue_bad_doorbells(uint32_t slot);

/* Whether the queue, which exists, has a submission and room for its completion beside those that are to come. */
bool queue_ready(uint32_t slot);

/* Functions that may have a queue: bit n for function n. */
uint32_t queues_owners(void);

/* Submissions not consumed yet. */
uint32_t queue_pending(uint32_t slot);
/* Whether all room is taken by completions, written or to come. */
bool queue_completion_ring_full(uint32_t slot);

/* The context that the queue belongs to. */
uint32_t queue_context(uint32_t slot);

/* Bus address of the next submission of a queue that has one. */
uint64_t queue_submission_address(uint32_t slot);

/* Copies it into the TCM and consumes it, also when the copy fails. queue_complete() must follow. */
enum dma_result queue_fetch(uint32_t slot, struct npu_submission* submission);

/*
 * Writes `completion` into the host's ring, with queue, sq_head and phase filled in, and raises the queue's vector. The
 * ring has room. The entry is 64 bytes and aligned, so it travels as one posted PCIe write: the phase cannot become
 * visible before the rest.
 */
void queue_complete(uint32_t slot, struct npu_completion* completion);
