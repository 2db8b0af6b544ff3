// SPDX-License-Identifier: Apache-2.0
/*
 * The submission and completion rings in host memory (firmware/abi/queue.h): who has work, where the next entry stands,
 * and how completions get back. All indices come from the host and are checked before use.
 *
 * The host writes 0 to SQ_TAIL and CQ_HEAD before QUEUE_CREATE. Both are only looked at when a doorbell rings after it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/queue.h"
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

/* Forgets all queues. */
void queues_init(void);

/* `arguments` are valid and the queue does not exist. */
void queue_create(const struct queue_arguments* arguments);
void queue_remove(uint32_t queue);
bool queue_exists(uint32_t queue);

/* From now on jobs.c completes what the queue still holds as aborted. */
void queue_start_draining(uint32_t queue);
bool queue_draining(uint32_t queue);

/* Reads the indices of all queues in `doorbells`, bit n for queue n. Wrong ones are logged, counted and ignored. */
void queues_serve_doorbells(uint32_t doorbells);

/* How many wrong indices `queue` was given. */
uint32_t queue_bad_doorbells(uint32_t queue);

/* A queue with a submission and room for its completion, round robin from the one after the last; -1 if none. */
int queue_next_ready(void);

/* Submissions not consumed yet. */
uint32_t queue_pending(uint32_t queue);
bool queue_completion_ring_full(uint32_t queue);
uint32_t queue_context(uint32_t queue);

/* Bus address of the next submission of a queue that has one. */
uint64_t queue_submission_address(uint32_t queue);

/* Copies it into the TCM and consumes it, also when the copy fails. */
enum dma_result queue_fetch(uint32_t queue, struct npu_submission* submission);

/*
 * Writes `completion` into the host's ring, with queue, sq_head and phase filled in, and raises the queue's vector. The
 * ring has room. The entry is 64 bytes and aligned, so it travels as one posted PCIe write: the phase cannot become
 * visible before the rest.
 */
void queue_complete(uint32_t queue, struct npu_completion* completion);
