// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/validate.h"

#include <stdbool.h>
#include <stddef.h>

#include "firmware/abi/command.h"
#include "firmware/abi/fault.h"
#include "firmware/lib/host_address.h"

struct queue_arguments queue_arguments_from(const struct mailbox_message* message) {
  return (struct queue_arguments){
      .queue = message->word[1] & 0xffu,
      .log2_entries = message->word[1] >> 8 & 0xffu,
      .vector = message->word[1] >> 16,
      .submission_ring = mailbox_address(message, 2),
      .completion_ring = mailbox_address(message, 4),
      .context = message->word[6],
  };
}

static bool ring_valid(uint64_t bus, uint64_t bytes) {
  return bus % NPU_HOST_PAGE_BYTES == 0 && host_range_valid(bus, bytes);
}

const char* validate_queue(const struct queue_arguments* arguments, uint32_t queues, uint32_t vectors) {
  if (arguments->queue >= queues) return "queue number too large";
  if (arguments->log2_entries < NPU_QUEUE_LOG2_MIN || arguments->log2_entries > NPU_QUEUE_LOG2_MAX) {
    return "number of entries outside 4 to 1024";
  }
  if (arguments->vector >= vectors) return "MSI-X vector too large";
  uint64_t entries = 1ull << arguments->log2_entries;
  if (!ring_valid(arguments->submission_ring, entries * sizeof(struct npu_submission))) {
    return "submission ring misaligned or beyond the PCIe window";
  }
  if (!ring_valid(arguments->completion_ring, entries * sizeof(struct npu_completion))) {
    return "completion ring misaligned or beyond the PCIe window";
  }
  return NULL;
}

struct context_arguments context_arguments_from(const struct mailbox_message* message) {
  return (struct context_arguments){
      .id = message->word[1],
      .priority = message->word[2] & 0xffu,
      .range_count = message->word[2] >> 8 & 0xffu,
      .flags = message->word[2] >> 16,
      .job_limit_us = message->word[3],
      .hang_limit_us = message->word[4],
      .range_table = mailbox_address(message, 5),
  };
}

const char* validate_context(const struct context_arguments* arguments) {
  if (arguments->priority >= NPU_PRIORITIES) return "unknown priority";
  if ((arguments->flags & ~(NPU_CONTEXT_STOP_ON_FAULT | NPU_CONTEXT_ADDRESS_SPACE)) != 0) return "unknown flags";
  if (arguments->range_count > NPU_CONTEXT_RANGES) return "more than 8 ranges";
  if (arguments->range_count == 0) return NULL;
  if (arguments->range_table % sizeof(struct npu_range) != 0 ||
      !host_range_valid(arguments->range_table, arguments->range_count * sizeof(struct npu_range))) {
    return "ranges misaligned or beyond the PCIe window";
  }
  return NULL;
}

static bool inside(uint64_t base, uint64_t bytes, const struct share* share) {
  return base >= share->base && bytes <= share->bytes && base - share->base <= share->bytes - bytes;
}

const char* validate_ranges(const struct context_arguments* arguments, const struct share* share) {
  for (uint32_t i = 0; i < arguments->range_count; ++i) {
    const struct npu_range* range = &arguments->ranges[i];
    if (range->bytes == 0) return "a range is empty";
    if (!inside(range->base, range->bytes, share)) return "a range is outside the DRAM for jobs";
  }
  return NULL;
}

struct page_range page_range_from(const struct mailbox_message* message) {
  return (struct page_range){
      .base = mailbox_address(message, 2),
      .bytes = message->word[4] * NPU_CONTEXT_PAGE_BYTES,
  };
}

const char* validate_page_range(const struct page_range* range, const struct share* share) {
  if (range->bytes == 0) return "no pages";
  if (range->base % NPU_CONTEXT_PAGE_BYTES != 0) return "address is not a multiple of 64 KiB";
  return inside(range->base, range->bytes, share) ? NULL : "outside the DRAM for jobs";
}

const char* validate_fault_read(uint64_t bus, uint32_t count) {
  if (count == 0 || count > NPU_FAULT_RECORDS) return "number of records outside 1 to 64";
  if (bus % 64 != 0 || !host_range_valid(bus, count * sizeof(struct npu_fault_record))) {
    return "destination misaligned or beyond the PCIe window";
  }
  return NULL;
}

static const char* validate_execute(const struct npu_submission* submission) {
  if (submission->segment_count == 0 || submission->segment_count > NPU_MAX_SEGMENTS) {
    return "segment count outside 1 to 16";
  }
  if (submission->command_segment >= submission->segment_count) return "command segment not in the table";
  if (submission->segment_table % sizeof(struct npu_segment) != 0 ||
      !host_range_valid(submission->segment_table, submission->segment_count * sizeof(struct npu_segment))) {
    return "segment table misaligned or beyond the PCIe window";
  }
  if (submission->command_bytes == 0 || submission->command_bytes > NPU_MAX_COMMAND_BYTES) {
    return "command stream empty or too long";
  }
  if (submission->command_bytes % sizeof(struct npu_command) != 0 ||
      submission->command_offset % sizeof(struct npu_command) != 0) {
    return "command range is not a multiple of 128 bytes";
  }
  return NULL;
}

const char* validate_submission(const struct npu_submission* submission, uint32_t context) {
  if (submission->opcode != NPU_SUBMIT_NOP && submission->opcode != NPU_SUBMIT_EXECUTE) return "unknown opcode";
  if (submission->context != context) return "context is not the queue's";
  if (submission->reserved[0] != 0 || submission->reserved[1] != 0) return "reserved fields are not zero";
  return submission->opcode == NPU_SUBMIT_EXECUTE ? validate_execute(submission) : NULL;
}

static const char* validate_device_segment(const struct npu_segment* segment, const struct share* share) {
  return inside(segment->base, segment->size, share) ? NULL : "outside the DRAM for jobs";
}

static const char* validate_host_segment(const struct npu_segment* segment) {
  uint64_t pages = segment->size / NPU_HOST_PAGE_BYTES + (segment->size % NPU_HOST_PAGE_BYTES != 0);
  if (segment->base % sizeof(uint64_t) != 0) return "page list is not 8-byte aligned";
  /* pages < 2^52 + 1, so the product cannot wrap. */
  if (!host_range_valid(segment->base, pages * sizeof(uint64_t))) return "page list beyond the PCIe window";
  return NULL;
}

const char* validate_segment(const struct npu_segment* segment, const struct share* share) {
  if (segment->reserved != 0) return "reserved field is not zero";
  if ((segment->flags & ~NPU_SEGMENT_WRITABLE) != 0) return "unknown flags";
  if (segment->size == 0) return "empty";
  switch (segment->kind) {
    case NPU_SEGMENT_DEVICE:
      return validate_device_segment(segment, share);
    case NPU_SEGMENT_HOST_PAGES:
      return validate_host_segment(segment);
    default:
      return "unknown kind";
  }
}

const char* validate_commands(const struct npu_submission* submission, const struct npu_segment* segment) {
  if (submission->command_bytes > segment->size ||
      submission->command_offset > segment->size - submission->command_bytes) {
    return "command range outside its segment";
  }
  return NULL;
}
