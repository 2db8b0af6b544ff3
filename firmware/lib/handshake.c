// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/handshake.h"

#include <string.h>

#include "firmware/lib/boot_record.h"
#include "firmware/lib/log.h"

static void serve_hello(uint32_t function, const struct mailbox_message* request,
                        const struct handshake_identity* identity) {
  uint32_t host_version = request->word[1];
  bool compatible = NPU_ABI_VERSION_MAJOR(host_version) == NPU_ABI_MAJOR;
  if (!compatible) {
    log_line("HELLO refused: host ABI %u.%u, this card's is %u.%u: install matching driver and firmware",
             NPU_ABI_VERSION_MAJOR(host_version), host_version & 0xffffu, NPU_ABI_MAJOR, NPU_ABI_MINOR);
  }
  struct mailbox_message reply = {{
      0,
      NPU_ABI_VERSION,
      identity->stage,
      identity->image_version,
      identity->neural_engines,
      (uint32_t)(identity->job_bytes >> 20),
      identity->queues,
      (uint32_t)(identity->job_base >> 20),
  }};
  mailbox_reply(function, request, &reply, compatible ? NPU_MAILBOX_OK : NPU_MAILBOX_BAD_VERSION);
}

static void serve_boot_record(uint32_t function, const struct mailbox_message* request) {
  const struct npu_boot_record* record = boot_record();
  struct mailbox_message reply = {{0}};
  uint32_t offset = request->word[1];
  if (!record || offset % 4 != 0 || offset >= sizeof(*record)) {
    mailbox_reply(function, request, &reply, record ? NPU_MAILBOX_BAD_ARGUMENT : NPU_MAILBOX_NOT_READY);
    return;
  }
  uint32_t left = (uint32_t)sizeof(*record) - offset, most = sizeof(reply) - sizeof(reply.word[0]);
  memcpy(&reply.word[1], (const uint8_t*)record + offset, left < most ? left : most);
  mailbox_reply(function, request, &reply, NPU_MAILBOX_OK);
}

bool handshake_serve(uint32_t function, const struct mailbox_message* request,
                     const struct handshake_identity* identity) {
  switch (NPU_MAILBOX_OPCODE(request->word[0])) {
    case NPU_MESSAGE_HELLO:
      serve_hello(function, request, identity);
      return true;
    case NPU_MESSAGE_PING: {
      struct mailbox_message reply = *request;
      mailbox_reply(function, request, &reply, NPU_MAILBOX_OK);
      return true;
    }
    case NPU_MESSAGE_BOOT_RECORD:
      serve_boot_record(function, request);
      return true;
    default:
      return false;
  }
}
