// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/context_messages.h"

#include <string.h>

#include "firmware/cp/address_spaces.h"
#include "firmware/cp/contexts.h"
#include "firmware/cp/faults.h"
#include "firmware/cp/functions.h"
#include "firmware/cp/jobs.h"
#include "firmware/cp/scheduler.h"
#include "firmware/cp/validate.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/dma.h"
#include "firmware/lib/host_address.h"

/* DMA buffer, see queues.c. */
_Alignas(64) static struct npu_range ranges_[NPU_CONTEXT_RANGES];

static bool fetch_ranges(uint32_t function, struct context_arguments* arguments) {
  uint32_t bytes = arguments->range_count * (uint32_t)sizeof(ranges_[0]);
  if (dma_copy(function, dma_address(ranges_), host_to_card(arguments->range_table), bytes) != DMA_OK) return false;
  memcpy(arguments->ranges, ranges_, sizeof(ranges_));
  return true;
}

static enum npu_mailbox_status create(uint32_t function, const struct context_arguments* arguments,
                                      struct mailbox_message* reply) {
  if (context_find(function, arguments->id) >= 0) {
    function_log(function, "CONTEXT_CREATE of %u refused: it exists", arguments->id);
    return NPU_MAILBOX_BUSY;
  }
  int context = context_create(function, arguments);
  if (context < 0) {
    function_log(function, "CONTEXT_CREATE of %u refused: the function has %u contexts, destroy one", arguments->id,
                 function_queues(function));
    return NPU_MAILBOX_FULL;
  }
  scheduler_add((uint32_t)context);
  reply->word[1] = context_asid((uint32_t)context);
  return NPU_MAILBOX_OK;
}

static enum npu_mailbox_status serve_create(uint32_t function, const struct mailbox_message* message,
                                            struct mailbox_message* reply) {
  struct context_arguments arguments = context_arguments_from(message);
  const char* reason = validate_context(&arguments);
  if (!reason && function_share(function)->bytes == 0) reason = "the function has no share of the DRAM";
  if (!reason && arguments.range_count != 0) {
    if (!fetch_ranges(function, &arguments)) {
      function_log(function, "CONTEXT_CREATE of %u refused: ranges at %lx unreadable", arguments.id,
                   (unsigned long)arguments.range_table);
      return NPU_MAILBOX_UNREADABLE;
    }
    reason = validate_ranges(&arguments, function_share(function));
  }
  if (!reason) return create(function, &arguments, reply);
  function_log(function, "CONTEXT_CREATE of %u refused: %s", arguments.id, reason);
  return NPU_MAILBOX_BAD_ARGUMENT;
}

static const char* check_map(uint32_t function, int context, const struct mailbox_message* message) {
  if (context < 0) return "there is no such context";
  if (!address_space_exists((uint32_t)context)) return "the context has no address space of its own";
  if (message->word[4] > NPU_CONTEXT_MAP_PAGES) return "more than 4096 pages";
  struct page_range range = page_range_from(message);
  return validate_page_range(&range, function_share(function));
}

static enum npu_mailbox_status serve_map(uint32_t function, const struct mailbox_message* message) {
  static const uint32_t kRights = NPU_CONTEXT_MAP_READ | NPU_CONTEXT_MAP_WRITE;
  uint32_t rights = message->word[5];
  int context = context_find(function, message->word[1]);
  struct page_range range = page_range_from(message);
  const char* reason = check_map(function, context, message);
  if (!reason && (rights == 0 || (rights & ~kRights) != 0)) reason = "unknown rights, or none";
  if (reason) {
    function_log(function, "CONTEXT_MAP of context %u refused: %s", message->word[1], reason);
    return NPU_MAILBOX_BAD_ARGUMENT;
  }
  return address_space_map((uint32_t)context, &range, rights);
}

static enum npu_mailbox_status serve_unmap(uint32_t function, const struct mailbox_message* message) {
  int context = context_find(function, message->word[1]);
  struct page_range range = page_range_from(message);
  const char* reason = check_map(function, context, message);
  enum npu_mailbox_status status = NPU_MAILBOX_BAD_ARGUMENT;
  if (!reason) status = address_space_unmap((uint32_t)context, &range);
  if (!reason && status != NPU_MAILBOX_OK) reason = "not mapped so";
  if (reason) function_log(function, "CONTEXT_UNMAP of context %u refused: %s", message->word[1], reason);
  return status;
}

static enum npu_mailbox_status serve_status(uint32_t function, const struct mailbox_message* message,
                                            struct mailbox_message* reply) {
  int context = context_find(function, message->word[1]);
  if (context < 0) {
    function_log(function, "CONTEXT_STATUS of %u refused: there is none", message->word[1]);
    return NPU_MAILBOX_BAD_ARGUMENT;
  }
  const struct context_counters* counters = context_counters((uint32_t)context);
  uint32_t state = context_stopped((uint32_t)context) ? NPU_CONTEXT_STATE_STOPPED : 0;
  *reply = (struct mailbox_message){{
      0,
      counters->taken,
      counters->ok,
      counters->failed,
      counters->aborted,
      (uint32_t)counters->card_ns,
      (uint32_t)(counters->card_ns >> 32),
      state | context_asid((uint32_t)context) << 16,
  }};
  return NPU_MAILBOX_OK;
}

static enum npu_mailbox_status serve_time(uint32_t function, const struct mailbox_message* message,
                                          struct mailbox_message* reply) {
  int context = context_find(function, message->word[1]);
  if (context < 0) {
    function_log(function, "CONTEXT_TIME of %u refused: there is none", message->word[1]);
    return NPU_MAILBOX_BAD_ARGUMENT;
  }
  jobs_charge(aclint_time_ns());
  const struct context_counters* counters = context_counters((uint32_t)context);
  *reply = (struct mailbox_message){{
      0,
      (uint32_t)counters->share_ns,
      (uint32_t)(counters->share_ns >> 32),
      (uint32_t)counters->firmware_ns,
      (uint32_t)(counters->firmware_ns >> 32),
  }};
  return NPU_MAILBOX_OK;
}

static enum npu_mailbox_status serve_fault_read(uint32_t function, const struct mailbox_message* message,
                                                struct mailbox_message* reply) {
  uint64_t bus = mailbox_address(message, 2);
  uint32_t count = message->word[4], of = message->word[5];
  const char* reason = validate_fault_read(bus, count);
  if (!reason && of >= FUNCTIONS_MAX) reason = "there is no such function";
  if (reason) {
    function_log(function, "FAULT_READ refused: %s", reason);
    return NPU_MAILBOX_BAD_ARGUMENT;
  }
  if (of != 0 && function != 0) {
    function_log(function, "FAULT_READ refused: only the physical function may read those of others");
    return NPU_MAILBOX_NOT_PERMITTED;
  }
  struct faults_copied copied = faults_copy(of == 0 ? function : of, message->word[1], function, bus, count);
  if (!copied.ok) return NPU_MAILBOX_UNREADABLE;
  *reply = (struct mailbox_message){{0, copied.count, copied.sequence, copied.newest, copied.lost}};
  return NPU_MAILBOX_OK;
}

bool context_messages_serve(uint32_t function, const struct mailbox_message* message) {
  struct mailbox_message reply = {{0}};
  enum npu_mailbox_status status;
  switch (NPU_MAILBOX_OPCODE(message->word[0])) {
    case NPU_MESSAGE_CONTEXT_CREATE:
      status = serve_create(function, message, &reply);
      break;
    case NPU_MESSAGE_CONTEXT_STATUS:
      status = serve_status(function, message, &reply);
      break;
    case NPU_MESSAGE_CONTEXT_MAP:
      status = serve_map(function, message);
      break;
    case NPU_MESSAGE_CONTEXT_UNMAP:
      status = serve_unmap(function, message);
      break;
    case NPU_MESSAGE_CONTEXT_TIME:
      status = serve_time(function, message, &reply);
      break;
    case NPU_MESSAGE_FAULT_READ:
      status = serve_fault_read(function, message, &reply);
      break;
    default:
      return false;
  }
  mailbox_reply(function, message, &reply, status);
  return true;
}
