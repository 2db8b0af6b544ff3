// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/queues.h"

#include <string.h>

#include "firmware/abi/memory_map.h"
#include "firmware/cp/contexts.h"
#include "firmware/lib/host_address.h"
#include "firmware/lib/mailbox.h"

struct queue {
  bool exists;
  bool draining;
  bool broken; /* its host cannot be written */
  uint32_t entries;
  uint32_t vector;
  uint32_t context;         /* contexts.h */
  uint64_t submission_ring; /* bus addresses */
  uint64_t completion_ring;
  uint32_t sq_head, sq_tail;
  uint32_t cq_head, cq_tail;
  uint32_t phase;     /* of the completion to be written next */
  uint32_t under_way; /* submissions that were taken and have no completion yet: their room is kept */
  uint32_t bad_doorbells;
  uint32_t bad_cq_head; /* last wrong value, so that it is reported once */
};

static struct queue queues_[QUEUE_SLOTS];
static uint32_t owners_; /* bit n: function n may have a queue */

/* DMA buffers: static, because a copy that timed out may still use them; aligned so that no entry is split. */
_Alignas(64) static struct npu_submission submission_;
_Alignas(64) static struct npu_completion completion_;

void queues_init(void) {
  memset(queues_, 0, sizeof(queues_));
  owners_ = 0;
}

void queue_create(uint32_t function, uint32_t context, const struct queue_arguments* arguments) {
  uint32_t queue = arguments->queue;
  owners_ |= 1u << function;
  queues_[queue_slot(function, queue)] = (struct queue){
      .exists = true,
      .entries = 1u << arguments->log2_entries,
      .vector = arguments->vector,
      .context = context,
      .submission_ring = arguments->submission_ring,
      .completion_ring = arguments->completion_ring,
      .phase = 1,
  };
  context_join(context, queue);
  mailbox_clear_doorbell(function, queue);
  if (mailbox_sq_tail(function, queue) != 0 || mailbox_cq_head(function, queue) != 0) {
    function_log(function, "queue %u: SQ_TAIL or CQ_HEAD is left from an earlier queue: write 0 before QUEUE_CREATE",
                 queue);
  }
}

void queue_remove(uint32_t slot) {
  if (!queues_[slot].exists) return;
  queues_[slot].exists = false;
  context_leave(queues_[slot].context, queue_number(slot));
}

bool queue_exists(uint32_t slot) {
  return queues_[slot].exists;
}

void queues_remove_function(uint32_t function) {
  for (uint32_t queue = 0; queue < function_queues(function); ++queue) queue_remove(queue_slot(function, queue));
  owners_ &= ~(1u << function);
}

bool queues_exist(void) {
  for (uint32_t slot = 0; slot < QUEUE_SLOTS; ++slot) {
    if (queues_[slot].exists) return true;
  }
  return false;
}

bool queue_draining(uint32_t slot) {
  return queues_[slot].draining;
}

uint32_t queue_bad_doorbells(uint32_t slot) {
  return queues_[slot].bad_doorbells;
}

uint32_t queue_pending(uint32_t slot) {
  const struct queue* q = &queues_[slot];
  return ring_used(q->sq_head, q->sq_tail, q->entries);
}

bool queue_completion_ring_full(uint32_t slot) {
  const struct queue* q = &queues_[slot];
  return ring_used(q->cq_head, q->cq_tail, q->entries) + q->under_way >= q->entries - 1;
}

uint32_t queue_context(uint32_t slot) {
  return queues_[slot].context;
}

static void take_sq_tail(uint32_t slot) {
  struct queue* q = &queues_[slot];
  uint32_t function = queue_function(slot), queue = queue_number(slot);
  uint32_t tail = mailbox_sq_tail(function, queue);
  if (tail < q->entries) {
    q->sq_tail = tail;
    return;
  }
  ++q->bad_doorbells;
  function_log(function, "queue %u: SQ_TAIL %u ignored, the ring has %u entries", queue, tail, q->entries);
}

/* A head is right if it frees nothing but completions that were written: it lies between the old head and the tail. */
static void take_cq_head(uint32_t slot) {
  struct queue* q = &queues_[slot];
  uint32_t function = queue_function(slot), queue = queue_number(slot);
  uint32_t head = mailbox_cq_head(function, queue);
  if (head < q->entries && ring_used(q->cq_head, head, q->entries) <= ring_used(q->cq_head, q->cq_tail, q->entries)) {
    q->cq_head = head;
    q->bad_cq_head = head;
    return;
  }
  if (head == q->bad_cq_head) return;
  q->bad_cq_head = head;
  ++q->bad_doorbells;
  function_log(function, "queue %u: CQ_HEAD %u ignored, completions %u to %u are not freed yet", queue, head,
               q->cq_head, q->cq_tail);
}

void queue_start_draining(uint32_t slot) {
  /* A doorbell that rang before the message but is served after it: those jobs are to be answered too. */
  bool rings = mailbox_doorbell_rings(queue_function(slot), queue_number(slot));
  if (rings && !queues_[slot].broken) take_sq_tail(slot);
  queues_[slot].draining = true;
}

uint32_t queues_serve_doorbells(uint32_t function, uint32_t doorbells) {
  uint32_t existing = 0;
  for (uint32_t queue = 0; queue < function_queues(function); ++queue) {
    uint32_t slot = queue_slot(function, queue);
    if (!(doorbells >> queue & 1u) || !queues_[slot].exists) continue;
    existing |= 1u << queue;
    if (queues_[slot].broken) continue;
    if (!queues_[slot].draining) take_sq_tail(slot);
    take_cq_head(slot);
  }
  return existing;
}

bool queue_ready(uint32_t slot) {
  return queue_pending(slot) != 0 && !queue_completion_ring_full(slot);
}

uint32_t queues_owners(void) {
  return owners_;
}

uint64_t queue_submission_address(uint32_t slot) {
  const struct queue* q = &queues_[slot];
  return q->submission_ring + (uint64_t)q->sq_head * sizeof(struct npu_submission);
}

enum dma_result queue_fetch(uint32_t slot, struct npu_submission* submission) {
  struct queue* q = &queues_[slot];
  enum dma_result result = dma_copy(queue_function(slot), dma_address(&submission_),
                                    host_to_card(queue_submission_address(slot)), sizeof(submission_));
  q->sq_head = ring_next(q->sq_head, q->entries);
  ++q->under_way;
  if (result == DMA_OK) *submission = submission_;
  return result;
}

/* Every further access to this host would fail as well, and the others would wait for each of them. */
static void stop_serving(struct queue* q) {
  q->broken = true;
  q->sq_tail = q->sq_head;
}

void queue_complete(uint32_t slot, struct npu_completion* completion) {
  struct queue* q = &queues_[slot];
  uint32_t function = queue_function(slot);
  --q->under_way;
  if (function != 0 && mailbox_reset_pending(function)) {
    stop_serving(q); /* the rings are no longer the card's to write */
    return;
  }
  completion->queue = (uint16_t)queue_number(slot);
  completion->sq_head = (uint16_t)q->sq_head;
  completion->phase = q->phase;
  completion_ = *completion;
  uint64_t bus = q->completion_ring + (uint64_t)q->cq_tail * sizeof(completion_);
  enum dma_result result = dma_copy(function, host_to_card(bus), dma_address(&completion_), sizeof(completion_));
  if (result != DMA_OK) {
    function_log(function, "queue %u: completion of job %lu lost, bus address %lx: %s; the queue stops",
                 queue_number(slot), (unsigned long)completion->job, (unsigned long)bus, dma_result_name(result));
    stop_serving(q);
  }
  q->cq_tail = ring_next(q->cq_tail, q->entries);
  if (q->cq_tail == 0) q->phase ^= 1u;
  mailbox_raise_vector(function, q->vector);
}
