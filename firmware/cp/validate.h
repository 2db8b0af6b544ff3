// SPDX-License-Identifier: Apache-2.0
/*
 * Checks of everything the host hands over (firmware/abi/queue.h). Each returns NULL for a valid object, else the
 * reason as text for the console. They look only at copies in the TCM that the host cannot change any more.
 */
#pragma once

#include <stdint.h>

#include "firmware/abi/context.h"
#include "firmware/abi/queue.h"
#include "firmware/cp/functions.h"
#include "firmware/lib/mailbox.h"

/* Arguments of QUEUE_CREATE. */
struct queue_arguments {
  uint32_t queue;
  uint32_t log2_entries;
  uint32_t vector;
  uint32_t context;
  uint64_t submission_ring; /* bus addresses */
  uint64_t completion_ring;
};

struct queue_arguments queue_arguments_from(const struct mailbox_message* message);

/* `queues` and `vectors`: how many the function has. */
const char* validate_queue(const struct queue_arguments* arguments, uint32_t queues, uint32_t vectors);

/* What CONTEXT_CREATE asks for. */
struct context_arguments {
  uint32_t id;
  uint32_t priority; /* enum npu_priority */
  uint32_t flags;    /* NPU_CONTEXT_* */
  uint32_t job_limit_us;
  uint32_t hang_limit_us;
  uint32_t range_count;
  uint64_t range_table; /* bus address */
  struct npu_range ranges[NPU_CONTEXT_RANGES];
};

/* Without the ranges, which stand in host memory. */
struct context_arguments context_arguments_from(const struct mailbox_message* message);

/* What the message says; then the ranges, against the function's share. */
const char* validate_context(const struct context_arguments* arguments);
const char* validate_ranges(const struct context_arguments* arguments, const struct share* share);

/* Pages of a function's share that a message names: CONTEXT_MAP, CONTEXT_UNMAP, DRAM_CLEAR. */
struct page_range {
  uint64_t base; /* card physical address */
  uint64_t bytes;
};
struct page_range page_range_from(const struct mailbox_message* message);
const char* validate_page_range(const struct page_range* range, const struct share* share);

/* Destination of FAULT_READ. */
const char* validate_fault_read(uint64_t bus, uint32_t count);

/* `context` is the id of the queue's. For EXECUTE also the fields that need no segment table. */
const char* validate_submission(const struct npu_submission* submission, uint32_t context);

/* `share`: of the function whose job it is. */
const char* validate_segment(const struct npu_segment* segment, const struct share* share);

/* Whether the command range lies inside its segment; `submission` and `segment` are valid by themselves. */
const char* validate_commands(const struct npu_submission* submission, const struct npu_segment* segment);
