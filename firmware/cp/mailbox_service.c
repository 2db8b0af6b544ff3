// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/mailbox_service.h"

#include <string.h>

#include "firmware/cp/context_messages.h"
#include "firmware/cp/contexts.h"
#include "firmware/cp/dispatch.h"
#include "firmware/cp/faults.h"
#include "firmware/cp/functions.h"
#include "firmware/cp/jobs.h"
#include "firmware/cp/management.h"
#include "firmware/cp/queues.h"
#include "firmware/cp/scheduler.h"
#include "firmware/cp/update.h"
#include "firmware/cp/upkeep.h"
#include "firmware/cp/validate.h"
#include "firmware/cp/version.h"
#include "firmware/cp/waiting.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/handshake.h"
#include "firmware/lib/mailbox.h"

/* How long a queue that is destroyed waits for the host to make room for its completions. */
static const uint64_t kDrainTimeoutNs = 100 * ACLINT_NS_PER_MS;

enum waits_for {
  WAITS_FOR_NOTHING,
  WAITS_FOR_MEMORY,
  WAITS_FOR_DRAIN,
  WAITS_FOR_PARTITION,
  WAITS_FOR_UPDATE,
  WAITS_FOR_CLEAR
};

/* A function's message that is not answered yet. */
struct open_message {
  enum waits_for waits_for;
  struct mailbox_message request;
  /* Of QUEUE_DESTROY and CONTEXT_DESTROY: */
  uint32_t queues;  /* that go, bit n for queue n of the function */
  int context;      /* that goes with them, or -1 */
  uint32_t aborted; /* jobs of it before */
  uint64_t deadline_ns;
  uint32_t pending;        /* submissions when the deadline was set */
  struct page_range clear; /* of DRAM_CLEAR: what is left */
};

static const struct board* board_;
static struct open_message open_[FUNCTIONS_MAX];
static uint32_t waiting_; /* bit n: function n has one */

void mailbox_service_init(const struct board* board) {
  board_ = board;
  update_init();
  memset(open_, 0, sizeof(open_));
  waiting_ = 0;
}

static void keep_open(uint32_t function, const struct open_message* open) {
  open_[function] = *open;
  waiting_ |= 1u << function;
}

static void close_message(uint32_t function) {
  open_[function].waits_for = WAITS_FOR_NOTHING;
  waiting_ &= ~(1u << function);
}

static void reply_status(uint32_t function, const struct mailbox_message* request, enum npu_mailbox_status status) {
  struct mailbox_message reply = {{0}};
  mailbox_reply(function, request, &reply, status);
}

/* The one of that id, or one with default rights; -1 if the function has no place for that. */
static int context_for_queue(uint32_t function, uint32_t id) {
  int context = context_find(function, id);
  if (context >= 0) return context;
  context = context_create_implicit(function, id);
  if (context >= 0) scheduler_add((uint32_t)context);
  return context;
}

static void serve_queue_create(uint32_t function, const struct mailbox_message* message) {
  struct queue_arguments arguments = queue_arguments_from(message);
  const char* reason = validate_queue(&arguments, function_queues(function), function_vectors(function));
  if (!reason && function_share(function)->bytes == 0) reason = "the function has no share of the DRAM";
  if (reason) {
    function_log(function, "QUEUE_CREATE of queue %u refused: %s", arguments.queue, reason);
    reply_status(function, message, NPU_MAILBOX_BAD_ARGUMENT);
    return;
  }
  if (queue_exists(queue_slot(function, arguments.queue))) {
    function_log(function, "QUEUE_CREATE of queue %u refused: it exists", arguments.queue);
    reply_status(function, message, NPU_MAILBOX_BUSY);
    return;
  }
  int context = context_for_queue(function, arguments.context);
  if (context < 0) {
    function_log(function, "QUEUE_CREATE of queue %u refused: no place for context %u, destroy one", arguments.queue,
                 arguments.context);
    reply_status(function, message, NPU_MAILBOX_FULL);
    return;
  }
  queue_create(function, (uint32_t)context, &arguments);
  reply_status(function, message, NPU_MAILBOX_OK);
}

/* Submissions that the queues in `queues` still hold. */
static uint32_t pending_of(uint32_t function, uint32_t queues) {
  uint32_t pending = 0;
  for (uint32_t queue = 0; queues >> queue != 0; ++queue) {
    if (queues >> queue & 1u) pending += queue_pending(queue_slot(function, queue));
  }
  return pending;
}

static bool busy_with(uint32_t function, uint32_t queues) {
  for (uint32_t queue = 0; queues >> queue != 0; ++queue) {
    if ((queues >> queue & 1u) && jobs_busy_with(queue_slot(function, queue))) return true;
  }
  return false;
}

/* Ends `queues` of the function, and `context` with them unless it is -1; serve_drain() answers when that is done. */
static void drain(uint32_t function, const struct mailbox_message* message, uint32_t queues, int context) {
  for (uint32_t queue = 0; queues >> queue != 0; ++queue) {
    if (!(queues >> queue & 1u)) continue;
    queue_start_draining(queue_slot(function, queue));
    jobs_abort_queue(queue_slot(function, queue));
  }
  struct open_message open = {
      .waits_for = WAITS_FOR_DRAIN,
      .request = *message,
      .queues = queues,
      .context = context,
      .aborted = context < 0 ? 0 : context_counters((uint32_t)context)->aborted,
      .deadline_ns = aclint_time_ns() + kDrainTimeoutNs,
      .pending = pending_of(function, queues),
  };
  keep_open(function, &open);
}

static void serve_queue_destroy(uint32_t function, const struct mailbox_message* message) {
  uint32_t queue = message->word[1];
  if (queue >= function_queues(function) || !queue_exists(queue_slot(function, queue))) {
    function_log(function, "QUEUE_DESTROY of queue %u refused: there is none", queue);
    reply_status(function, message, NPU_MAILBOX_BAD_ARGUMENT);
    return;
  }
  drain(function, message, 1u << queue, -1);
}

static void serve_context_destroy(uint32_t function, const struct mailbox_message* message) {
  int context = context_find(function, message->word[1]);
  if (context < 0) {
    function_log(function, "CONTEXT_DESTROY of %u refused: there is none", message->word[1]);
    reply_status(function, message, NPU_MAILBOX_BAD_ARGUMENT);
    return;
  }
  drain(function, message, context_queues((uint32_t)context), context);
}

static void serve_partition(uint32_t function, const struct mailbox_message* message) {
  uint32_t vfs = message->word[1];
  if (vfs > NPU_MAX_VFS) {
    function_log(function, "PARTITION refused: %u virtual functions, the card has at most %u", vfs, NPU_MAX_VFS);
    reply_status(function, message, NPU_MAILBOX_BAD_ARGUMENT);
  } else if (queues_exist() || contexts_exist()) {
    function_log(function, "PARTITION refused: a function has a queue or a context, destroy it first");
    reply_status(function, message, NPU_MAILBOX_BUSY);
  } else if (!functions_partition(vfs)) {
    function_log(function, "PARTITION refused: too little DRAM for %u virtual functions", vfs);
    reply_status(function, message, NPU_MAILBOX_BAD_ARGUMENT);
  } else {
    keep_open(function, &(struct open_message){.waits_for = WAITS_FOR_PARTITION, .request = *message});
  }
}

/* Every part cleared, or the one that could not be cleared given up. */
static void finish_partition(uint32_t function, const struct mailbox_message* message) {
  uint32_t vfs = message->word[1];
  bool complete = true;
  for (uint32_t each = 0; each <= vfs; ++each) complete &= function_share(each)->bytes != 0;
  const struct share *physical = function_share(0), *virtual = function_share(1);
  struct mailbox_message reply = {{
      0,
      (uint32_t)(physical->bytes >> 20),
      (uint32_t)(physical->base >> 20),
      (uint32_t)(virtual->bytes >> 20),
  }};
  mailbox_reply(function, message, &reply, complete ? NPU_MAILBOX_OK : NPU_MAILBOX_NOT_READY);
}

static void serve_clear(uint32_t function, const struct mailbox_message* message) {
  struct page_range range = page_range_from(message);
  const char* reason =
      message->word[1] != 0 ? "word 1 is not 0" : validate_page_range(&range, function_share(function));
  if (reason) {
    function_log(function, "DRAM_CLEAR refused: %s", reason);
    reply_status(function, message, NPU_MAILBOX_BAD_ARGUMENT);
    return;
  }
  keep_open(function, &(struct open_message){.waits_for = WAITS_FOR_CLEAR, .request = *message, .clear = range});
}

/* Clears the next piece. A share can change meanwhile: what is no longer the function's is left alone. */
static void clear_next(uint32_t function, struct open_message* open) {
  enum npu_mailbox_status status = NPU_MAILBOX_OK;
  if (validate_page_range(&open->clear, function_share(function))) {
    status = NPU_MAILBOX_BAD_ARGUMENT;
  } else if (!function_clear_piece(function, &open->clear.base, &open->clear.bytes)) {
    status = NPU_MAILBOX_UNREADABLE;
  } else if (open->clear.bytes != 0) {
    return;
  }
  close_message(function);
  reply_status(function, &open->request, status);
}

static bool permitted(uint32_t function, uint32_t opcode) {
  switch (opcode) {
    case NPU_MESSAGE_HELLO:
    case NPU_MESSAGE_PING:
    case NPU_MESSAGE_QUEUE_CREATE:
    case NPU_MESSAGE_QUEUE_DESTROY:
    case NPU_MESSAGE_CONTEXT_CREATE:
    case NPU_MESSAGE_CONTEXT_DESTROY:
    case NPU_MESSAGE_CONTEXT_STATUS:
    case NPU_MESSAGE_CONTEXT_TIME:
    case NPU_MESSAGE_FAULT_READ:
    case NPU_MESSAGE_CONTEXT_MAP:
    case NPU_MESSAGE_CONTEXT_UNMAP:
    case NPU_MESSAGE_DRAM_CLEAR:
      return true;
    default:
      return function == 0;
  }
}

static void serve_message(uint32_t function, const struct mailbox_message* message) {
  uint32_t opcode = NPU_MAILBOX_OPCODE(message->word[0]);
  if (!permitted(function, opcode)) {
    function_log(function, "message %u refused: only the physical function may send it", opcode);
    reply_status(function, message, NPU_MAILBOX_NOT_PERMITTED);
    return;
  }
  struct handshake_identity identity = {
      .stage = NPU_STAGE_FIRMWARE,
      .image_version = CP_VERSION,
      .neural_engines = board_->neural_engines,
      .queues = function_queues(function),
      .job_base = function_share(function)->base,
      .job_bytes = function_share(function)->bytes,
  };
  if (handshake_serve(function, message, &identity)) return;
  if (context_messages_serve(function, message)) return;
  switch (opcode) {
    case NPU_MESSAGE_QUEUE_CREATE:
      serve_queue_create(function, message);
      break;
    case NPU_MESSAGE_QUEUE_DESTROY:
      serve_queue_destroy(function, message);
      break;
    case NPU_MESSAGE_CONTEXT_DESTROY:
      serve_context_destroy(function, message);
      break;
    case NPU_MESSAGE_PARTITION:
      serve_partition(function, message);
      break;
    case NPU_MESSAGE_DRAM_CLEAR:
      serve_clear(function, message);
      break;
    default:
      if (management_serve_message(message)) break;
      if (!update_message(opcode)) {
        reply_status(function, message, NPU_MAILBOX_UNKNOWN_MESSAGE);
      } else if (update_serve(message)) {
        keep_open(function, &(struct open_message){.waits_for = WAITS_FOR_UPDATE, .request = *message});
      }
      break;
  }
}

/* The context that the message is about, -1 if there is none. */
static int context_of(uint32_t function, const struct mailbox_message* message) {
  switch (NPU_MAILBOX_OPCODE(message->word[0])) {
    case NPU_MESSAGE_CONTEXT_CREATE:
    case NPU_MESSAGE_CONTEXT_DESTROY:
    case NPU_MESSAGE_CONTEXT_STATUS:
    case NPU_MESSAGE_CONTEXT_TIME:
      return context_find(function, message->word[1]);
    case NPU_MESSAGE_QUEUE_CREATE:
      return context_find(function, message->word[6]);
    default:
      return -1;
  }
}

static void take_message(uint32_t function) {
  uint64_t begin = aclint_time_ns();
  struct mailbox_message message;
  if (!mailbox_take(function, &message)) return;
  if (open_[function].waits_for != WAITS_FOR_NOTHING) {
    reply_status(function, &message, NPU_MAILBOX_BUSY);
  } else if (function_clearing(function)) {
    keep_open(function, &(struct open_message){.waits_for = WAITS_FOR_MEMORY, .request = message});
  } else {
    serve_message(function, &message);
  }
  uint64_t now = aclint_time_ns();
  upkeep_charge(function, context_of(function, &message), now - begin, now);
}

/* Nothing that the function asked for before the reset is left, and nothing of it reaches the host any more. */
static void forget_function(uint32_t function) {
  function_log(function, "reset");
  close_message(function);
  jobs_forget_function(function);
  waiting_forget_function(function);
  queues_remove_function(function);
  contexts_remove_function(function);
  faults_forget_function(function);
  function_reset(function);
}

void mailbox_service_serve(void) {
  uint32_t functions = mailbox_functions_pending();
  for (uint32_t function = 1; functions >> function != 0; ++function) {
    if ((functions >> function & 1u) && mailbox_take_reset(function)) forget_function(function);
  }
  functions = upkeep_allowed(functions, aclint_time_ns());
  for (uint32_t function = 0; functions >> function != 0; ++function) {
    if (functions >> function & 1u) take_message(function);
  }
}

/* What is left in a ring whose host frees no completions ends with the queue; no job of it is accounted for. */
static void remove_queues(uint32_t function, uint32_t queues) {
  for (uint32_t queue = 0; queues >> queue != 0; ++queue) {
    if (!(queues >> queue & 1u)) continue;
    uint32_t slot = queue_slot(function, queue), pending = queue_pending(slot);
    if (pending != 0) {
      function_log(function, "queue %u destroyed with %u submissions unanswered: the host does not free completions",
                   queue, pending);
    }
    queue_remove(slot);
  }
}

/* Completes one submission that waits in `queues`, in order: not before the job of its queue that runs. */
static bool abort_next(uint32_t function, uint32_t queues) {
  for (uint32_t queue = 0; queues >> queue != 0; ++queue) {
    uint32_t slot = queue_slot(function, queue);
    if ((queues >> queue & 1u) && !jobs_busy_with(slot) && dispatch_abort_next(slot)) return true;
  }
  return false;
}

/* True when there was something to do. */
static bool serve_drain(uint32_t function, struct open_message* open, uint64_t now_ns) {
  if (abort_next(function, open->queues)) return true;
  uint32_t pending = pending_of(function, open->queues);
  bool busy = busy_with(function, open->queues);
  if (busy || pending != open->pending) {
    open->pending = pending;
    open->deadline_ns = now_ns + kDrainTimeoutNs;
  }
  if (busy || (pending != 0 && now_ns < open->deadline_ns)) return false;
  struct mailbox_message reply = {{0}};
  if (open->context >= 0) reply.word[1] = context_counters((uint32_t)open->context)->aborted - open->aborted;
  remove_queues(function, open->queues);
  /* One that was made for its queues has gone with the last of them. */
  if (open->context >= 0 && context_find(function, open->request.word[1]) == open->context) {
    context_remove((uint32_t)open->context);
  }
  close_message(function);
  mailbox_reply(function, &open->request, &reply, NPU_MAILBOX_OK);
  return true;
}

static bool serve_waiting(uint32_t function, uint64_t now_ns) {
  struct open_message* open = &open_[function];
  switch (open->waits_for) {
    case WAITS_FOR_DRAIN:
      return serve_drain(function, open, now_ns);
    case WAITS_FOR_MEMORY: {
      if (function_clearing(function)) return false;
      close_message(function);
      struct mailbox_message request = open->request; /* serving it may open another one */
      serve_message(function, &request);
      return true;
    }
    case WAITS_FOR_PARTITION:
      if (functions_clearing()) return false;
      close_message(function);
      finish_partition(function, &open->request);
      return true;
    case WAITS_FOR_CLEAR:
      clear_next(function, open);
      return true;
    case WAITS_FOR_UPDATE:
      if (!update_poll(now_ns)) return false;
      close_message(function);
      return true;
    default:
      return false;
  }
}

bool mailbox_service_serve_waiting(uint64_t now_ns) {
  bool served = false;
  for (uint32_t function = 0; waiting_ >> function != 0; ++function) served |= serve_waiting(function, now_ns);
  return served;
}

uint64_t mailbox_service_deadline(void) {
  uint64_t deadline = ACLINT_NEVER;
  for (uint32_t function = 0; waiting_ >> function != 0; ++function) {
    const struct open_message* open = &open_[function];
    bool timed = open->waits_for == WAITS_FOR_DRAIN && !busy_with(function, open->queues);
    if (timed && open->deadline_ns < deadline) deadline = open->deadline_ns;
    if (open->waits_for == WAITS_FOR_UPDATE && update_deadline() < deadline) deadline = update_deadline();
  }
  return deadline;
}
