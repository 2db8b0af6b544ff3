// SPDX-License-Identifier: Apache-2.0
#include "firmware/rom/rom.h"

#include "firmware/abi/boot_record.h"
#include "firmware/abi/flash_layout.h"
#include "firmware/abi/mailbox.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/boot_selection.h"
#include "firmware/lib/flash.h"
#include "firmware/lib/gpio.h"
#include "firmware/lib/handshake.h"
#include "firmware/lib/log.h"
#include "firmware/lib/mailbox.h"
#include "firmware/lib/otp.h"
#include "firmware/lib/plic.h"
#include "firmware/lib/system_controller.h"
#include "firmware/lib/trap.h"
#include "firmware/rom/boot.h"
#include "firmware/rom/record.h"
#include "npu/registers/mailbox.h"

static struct board board_;

static void log_policy(void) {
  static const char* const lifecycles[] = {"test", "development", "production", "RMA"};
  log_line("life cycle %s, debug access %s, rollback counter %u", lifecycles[otp_lifecycle() % 4u],
           otp_debug_allowed() ? "open" : "closed", otp_rollback());
}

void rom_init(void) {
  aclint_set_deadline(ACLINT_NEVER);
  plic_init(PLIC_SOURCE(NPU_IRQ_MAILBOX));
  log_init("rom");
  board_ = system_controller_board();
  log_line("npu boot ROM, ABI %u.%u, card %u, reset by %s", NPU_ABI_MAJOR, NPU_ABI_MINOR, board_.card,
           system_controller_reset_cause());
  trap_report_last_crash();
  record_init();
  log_policy();
  mailbox_set_boot_code(NPU_BOOT_NONE);
  mailbox_set_card_state(MAILBOX_HOST_CARD_STATE_STATE_LOADING);
}

/* What is left of the fuses' regions for the firmware: it may raise the rollback counter. */
static void hand_over(void) {
  otp_lock(NPU_OTP_REGION_KEYS | NPU_OTP_REGION_LIFECYCLE);
  log_line("image verified, starting it");
  mailbox_set_boot_code(NPU_BOOT_BOOTED);
}

/* True when an image was verified. What the host shall see of the others is the last one that was not just empty. */
static bool try_slots(uint64_t* entry) {
  if (!flash_present()) {
    log_line("no flash, or one of less than %u bytes (code %u)", NPU_FLASH_LEAST_BYTES, (unsigned)NPU_BOOT_FLASH_ERROR);
    mailbox_set_boot_code(NPU_BOOT_FLASH_ERROR);
    return false;
  }
  uint32_t first = boot_selection_read().slot;
  for (uint32_t i = 0; i < NPU_FLASH_SLOTS; ++i) {
    enum npu_boot_code code = boot_slot((first + i) % NPU_FLASH_SLOTS, entry);
    if (code == NPU_BOOT_BOOTED) return true;
    if (code != NPU_BOOT_SLOT_EMPTY) mailbox_set_boot_code(code);
  }
  return false;
}

bool rom_start(uint64_t* entry) {
  if (gpio_strapped_for_recovery()) {
    log_line("strapped for recovery: flash is not tried");
  } else if (try_slots(entry)) {
    hand_over();
    return true;
  }
  mailbox_set_card_state(MAILBOX_HOST_CARD_STATE_STATE_ROM);
  log_line("waiting for a firmware image");
  return false;
}

/* The registers change before the reply: a host that has the reply finds them settled. */
static bool serve_boot_load(const struct mailbox_message* message, uint64_t* entry) {
  struct boot_request request = {
      .bus_address = mailbox_address(message, 1),
      .bytes = message->word[3],
      .host_abi_version = message->word[4],
  };
  mailbox_set_card_state(MAILBOX_HOST_CARD_STATE_STATE_LOADING);
  enum npu_boot_code code = boot_load(&request, entry);
  bool booted = code == NPU_BOOT_BOOTED;
  if (booted) {
    hand_over();
  } else {
    mailbox_set_boot_code(code);
    mailbox_set_card_state(MAILBOX_HOST_CARD_STATE_STATE_ROM);
  }
  struct mailbox_message reply = {{0}};
  mailbox_reply(0, message, &reply, code);
  return booted;
}

static bool serve_message(const struct mailbox_message* message, uint64_t* entry) {
  struct handshake_identity identity = {
      .stage = NPU_STAGE_ROM,
      .neural_engines = board_.neural_engines,
      .queues = NPU_QUEUES,
      .job_base = board_.job_base,
      .job_bytes = board_.job_bytes,
  };
  if (handshake_serve(0, message, &identity)) return false;
  struct mailbox_message reply = {{0}};
  switch (NPU_MAILBOX_OPCODE(message->word[0])) {
    case NPU_MESSAGE_BOOT_LOAD:
      return serve_boot_load(message, entry);
    case NPU_MESSAGE_QUEUE_CREATE:
    case NPU_MESSAGE_QUEUE_DESTROY:
    case NPU_MESSAGE_PARTITION:
    case NPU_MESSAGE_UPDATE_BEGIN:
    case NPU_MESSAGE_UPDATE_WRITE:
    case NPU_MESSAGE_UPDATE_FINISH:
    case NPU_MESSAGE_UPDATE_COMMIT:
      mailbox_reply(0, message, &reply, NPU_MAILBOX_NOT_READY);
      return false;
    default:
      mailbox_reply(0, message, &reply, NPU_MAILBOX_UNKNOWN_MESSAGE);
      return false;
  }
}

bool rom_serve(uint64_t* entry) {
  uint32_t source;
  while ((source = plic_claim()) != 0) {
    struct mailbox_message message;
    bool booted = source == NPU_IRQ_MAILBOX && mailbox_take(0, &message) && serve_message(&message, entry);
    plic_complete(source);
    if (booted) return true;
  }
  return false;
}
