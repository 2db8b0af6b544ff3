// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/queues.h"

#include <string.h>

#include "firmware/abi/memory_map.h"
#include "firmware/lib/host_address.h"
#include "firmware/lib/log.h"
#include "firmware/lib/mailbox.h"

struct queue {
  bool exists;
  bool draining;
  uint32_t entries;
  uint32_t vector;
  uint32_t context;
  uint64_t submission_ring; /* bus addresses */
  uint64_t completion_ring;
  uint32_t sq_head, sq_tail;
  uint32_t cq_head, cq_tail;
  uint32_t phase; /* of the completion to be written next */
  uint32_t bad_doorbells;
  uint32_t bad_cq_head; /* last wrong value, so that it is reported once */
};

static struct queue queues_[NPU_QUEUES];
static uint32_t last_served_;

/* DMA buffers: static, because a copy that timed out may still use them; aligned so that no entry is split. */
_Alignas(64) static struct npu_submission submission_;
_Alignas(64) static struct npu_completion completion_;

void queues_init(void) {
  memset(queues_, 0, sizeof(queues_));
  last_served_ = NPU_QUEUES - 1;
}

void queue_create(const struct queue_arguments* arguments) {
  uint32_t queue = arguments->queue;
  queues_[queue] = (struct queue){
      .exists = true,
      .entries = 1u << arguments->log2_entries,
      .vector = arguments->vector,
      .context = arguments->context,
      .submission_ring = arguments->submission_ring,
      .completion_ring = arguments->completion_ring,
      .phase = 1,
  };
  mailbox_clear_doorbell(queue);
  if (mailbox_sq_tail(queue) != 0 || mailbox_cq_head(queue) != 0) {
    log_line("queue %u: SQ_TAIL or CQ_HEAD is left from an earlier queue: write 0 before QUEUE_CREATE", queue);
  }
}

void queue_remove(uint32_t queue) {
  queues_[queue].exists = false;
}

bool queue_exists(uint32_t queue) {
  return queues_[queue].exists;
}

void queue_start_draining(uint32_t queue) {
  queues_[queue].draining = true;
}

bool queue_draining(uint32_t queue) {
  return queues_[queue].draining;
}

uint32_t queue_bad_doorbells(uint32_t queue) {
  return queues_[queue].bad_doorbells;
}

uint32_t queue_pending(uint32_t queue) {
  const struct queue* q = &queues_[queue];
  return ring_used(q->sq_head, q->sq_tail, q->entries);
}

bool queue_completion_ring_full(uint32_t queue) {
  const struct queue* q = &queues_[queue];
  return ring_full(q->cq_head, q->cq_tail, q->entries);
}

uint32_t queue_context(uint32_t queue) {
  return queues_[queue].context;
}

static void take_sq_tail(uint32_t queue) {
  struct queue* q = &queues_[queue];
  uint32_t tail = mailbox_sq_tail(queue);
  if (tail < q->entries) {
    q->sq_tail = tail;
    return;
  }
  ++q->bad_doorbells;
  log_line("queue %u: SQ_TAIL %u ignored, the ring has %u entries", queue, tail, q->entries);
}

/* A head is right if it frees nothing but completions that were written: it lies between the old head and the tail. */
static void take_cq_head(uint32_t queue) {
  struct queue* q = &queues_[queue];
  uint32_t head = mailbox_cq_head(queue);
  if (head < q->entries && ring_used(q->cq_head, head, q->entries) <= ring_used(q->cq_head, q->cq_tail, q->entries)) {
    q->cq_head = head;
    q->bad_cq_head = head;
    return;
  }
  if (head == q->bad_cq_head) return;
  q->bad_cq_head = head;
  ++q->bad_doorbells;
  log_line("queue %u: CQ_HEAD %u ignored, completions %u to %u are not freed yet", queue, head, q->cq_head, q->cq_tail);
}

void queues_serve_doorbells(uint32_t doorbells) {
  for (uint32_t queue = 0; queue < NPU_QUEUES; ++queue) {
    if (!(doorbells >> queue & 1u) || !queues_[queue].exists) continue;
    if (!queues_[queue].draining) take_sq_tail(queue);
    take_cq_head(queue);
  }
}

int queue_next_ready(void) {
  for (uint32_t step = 1; step <= NPU_QUEUES; ++step) {
    uint32_t queue = (last_served_ + step) % NPU_QUEUES;
    if (!queues_[queue].exists || queue_pending(queue) == 0 || queue_completion_ring_full(queue)) continue;
    last_served_ = queue;
    return (int)queue;
  }
  return -1;
}

uint64_t queue_submission_address(uint32_t queue) {
  const struct queue* q = &queues_[queue];
  return q->submission_ring + (uint64_t)q->sq_head * sizeof(struct npu_submission);
}

enum dma_result queue_fetch(uint32_t queue, struct npu_submission* submission) {
  struct queue* q = &queues_[queue];
  enum dma_result result =
      dma_copy(dma_address(&submission_), host_to_card(queue_submission_address(queue)), sizeof(submission_));
  q->sq_head = ring_next(q->sq_head, q->entries);
  if (result == DMA_OK) *submission = submission_;
  return result;
}

void queue_complete(uint32_t queue, struct npu_completion* completion) {
  struct queue* q = &queues_[queue];
  completion->queue = (uint16_t)queue;
  completion->sq_head = (uint16_t)q->sq_head;
  completion->phase = q->phase;
  completion_ = *completion;
  uint64_t bus = q->completion_ring + (uint64_t)q->cq_tail * sizeof(completion_);
  enum dma_result result = dma_copy(host_to_card(bus), dma_address(&completion_), sizeof(completion_));
  if (result != DMA_OK) {
    log_line("queue %u: completion of job %lu lost, bus address %lx: %s", queue, (unsigned long)completion->job,
             (unsigned long)bus, dma_result_name(result));
  }
  q->cq_tail = ring_next(q->cq_tail, q->entries);
  if (q->cq_tail == 0) q->phase ^= 1u;
  mailbox_raise_vector(q->vector);
}
