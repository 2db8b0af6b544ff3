// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/mailbox_service.h"

#include <stdbool.h>

#include "firmware/cp/jobs.h"
#include "firmware/cp/queues.h"
#include "firmware/cp/validate.h"
#include "firmware/cp/version.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/handshake.h"
#include "firmware/lib/log.h"
#include "firmware/lib/mailbox.h"

/* How long a queue that is destroyed waits for the host to make room for its completions. */
static const uint64_t kDrainTimeoutNs = 100 * ACLINT_NS_PER_MS;

static const struct board* board_;

/* QUEUE_DESTROY that waits for its queue; one message is in flight at a time, so there is at most one. */
static struct {
  bool waits;
  uint32_t queue;
  uint64_t deadline_ns;
  uint32_t pending; /* submissions when the deadline was set */
  struct mailbox_message request;
} destroy_;

void mailbox_service_init(const struct board* board) {
  board_ = board;
  destroy_.waits = false;
}

static void reply_status(const struct mailbox_message* request, enum npu_mailbox_status status) {
  struct mailbox_message reply = {{0}};
  mailbox_reply(request, &reply, status);
}

static void serve_queue_create(const struct mailbox_message* message) {
  struct queue_arguments arguments = queue_arguments_from(message);
  const char* reason = validate_queue(&arguments);
  if (reason) {
    log_line("QUEUE_CREATE of queue %u refused: %s", arguments.queue, reason);
    reply_status(message, NPU_MAILBOX_BAD_ARGUMENT);
    return;
  }
  if (queue_exists(arguments.queue)) {
    log_line("QUEUE_CREATE of queue %u refused: it exists", arguments.queue);
    reply_status(message, NPU_MAILBOX_BUSY);
    return;
  }
  queue_create(&arguments);
  reply_status(message, NPU_MAILBOX_OK);
}

static void serve_queue_destroy(const struct mailbox_message* message) {
  uint32_t queue = message->word[1];
  if (queue >= NPU_QUEUES || !queue_exists(queue)) {
    log_line("QUEUE_DESTROY of queue %u refused: there is none", queue);
    reply_status(message, NPU_MAILBOX_BAD_ARGUMENT);
    return;
  }
  queue_start_draining(queue);
  jobs_abort_queue(queue);
  destroy_.waits = true;
  destroy_.queue = queue;
  destroy_.request = *message;
  destroy_.pending = queue_pending(queue);
  destroy_.deadline_ns = aclint_time_ns() + kDrainTimeoutNs;
}

void mailbox_service_serve_message(void) {
  static const struct handshake_identity identity = {.stage = NPU_STAGE_FIRMWARE, .image_version = CP_VERSION};
  struct mailbox_message message;
  if (!mailbox_take(&message)) return;
  if (destroy_.waits) {
    reply_status(&message, NPU_MAILBOX_BUSY);
    return;
  }
  if (handshake_serve(&message, &identity, board_)) return;
  switch (NPU_MAILBOX_OPCODE(message.word[0])) {
    case NPU_MESSAGE_QUEUE_CREATE:
      serve_queue_create(&message);
      break;
    case NPU_MESSAGE_QUEUE_DESTROY:
      serve_queue_destroy(&message);
      break;
    default:
      reply_status(&message, NPU_MAILBOX_UNKNOWN_MESSAGE);
      break;
  }
}

void mailbox_service_serve_drain(uint64_t now_ns) {
  if (!destroy_.waits) return;
  uint32_t pending = queue_pending(destroy_.queue);
  if (jobs_busy_with(destroy_.queue) || pending != destroy_.pending) {
    destroy_.pending = pending;
    destroy_.deadline_ns = now_ns + kDrainTimeoutNs;
  }
  if (jobs_busy_with(destroy_.queue)) return;
  if (pending != 0 && now_ns < destroy_.deadline_ns) return;
  if (pending != 0) {
    log_line("queue %u destroyed with %u submissions unanswered: the host does not free completions", destroy_.queue,
             pending);
  }
  queue_remove(destroy_.queue);
  destroy_.waits = false;
  reply_status(&destroy_.request, NPU_MAILBOX_OK);
}

uint64_t mailbox_service_deadline(void) {
  return destroy_.waits && !jobs_busy_with(destroy_.queue) ? destroy_.deadline_ns : ACLINT_NEVER;
}
