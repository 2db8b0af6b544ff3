// SPDX-License-Identifier: Apache-2.0
#include "firmware/rom/rom.h"

#include <stddef.h>

#include "firmware/abi/boot_record.h"
#include "firmware/abi/flash_layout.h"
#include "firmware/abi/mailbox.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/boot_selection.h"
#include "firmware/lib/boot_trial.h"
#include "firmware/lib/flash.h"
#include "firmware/lib/gpio.h"
#include "firmware/lib/handshake.h"
#include "firmware/lib/log.h"
#include "firmware/lib/mailbox.h"
#include "firmware/lib/otp.h"
#include "firmware/lib/plic.h"
#include "firmware/lib/system_controller.h"
#include "firmware/lib/trap.h"
#include "firmware/lib/watchdog.h"
#include "firmware/rom/boot.h"
#include "firmware/rom/record.h"
#include "npu/registers/mailbox.h"

/* From the start of firmware on trial until it has taken the watchdog over or is reset: longer than any start takes
 * (u), and few enough seconds for a host to wait for all attempts. */
enum { kTrialTimeoutUs = 1000000 };

static struct board board_;
static uint32_t last_end_; /* how the run before this one ended, NPU_BOOT_END */

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
  last_end_ = NPU_BOOT_END(system_controller_reset_code(), trap_last_cause(NPU_BOOT_END_NO_TRAP));
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

/* How the trial of the selection stands. The attempt that this reset has ended is noted with the reason. */
static struct boot_trial read_trial(const struct boot_selection* selection) {
  struct boot_trial trial = boot_trial_read(selection);
  if (trial.state != NPU_TRIAL_NONE && trial.end_is_not_noted) {
    boot_trial_end(selection, last_end_);
    trial.last_end = last_end_;
  }
  if (trial.state == NPU_TRIAL_FAILED) {
    log_line("slot %c did not confirm in %u attempts on trial (code %u), the last ended by a %s reset: falling back",
             'A' + (char)selection->slot, trial.attempts, (unsigned)NPU_BOOT_TRIAL_FAILED,
             system_controller_reset_name(NPU_BOOT_END_CAUSE(trial.last_end)));
    record_code(selection->slot == 0 ? NPU_BOOT_SOURCE_SLOT_A : NPU_BOOT_SOURCE_SLOT_B, NPU_BOOT_TRIAL_FAILED);
    mailbox_set_boot_code(NPU_BOOT_TRIAL_FAILED);
    record_trial(&trial);
  }
  return trial;
}

/* Hang or crash, the watchdog ends the attempt. */
static void start_trial(struct boot_trial* trial) {
  ++trial->attempts;
  record_trial(trial);
  log_line("on trial, attempt %u of %u", trial->attempts, NPU_BOOT_TRIAL_ATTEMPTS);
  watchdog_arm(kTrialTimeoutUs);
}

/* True when an image was verified. What the host shall see of the others is the last one that was not just empty. */
static bool try_slots(uint64_t* entry) {
  if (!flash_present()) {
    log_line("no flash, or one of less than %u bytes (code %u)", NPU_FLASH_LEAST_BYTES, (unsigned)NPU_BOOT_FLASH_ERROR);
    mailbox_set_boot_code(NPU_BOOT_FLASH_ERROR);
    return false;
  }
  struct boot_selection selection = boot_selection_read();
  struct boot_trial trial = read_trial(&selection);
  uint32_t first = trial.state == NPU_TRIAL_FAILED ? 1 - selection.slot : selection.slot;
  for (uint32_t i = 0; i < NPU_FLASH_SLOTS; ++i) {
    uint32_t slot = (first + i) % NPU_FLASH_SLOTS;
    if (trial.state == NPU_TRIAL_FAILED && slot == selection.slot) continue;
    bool on_trial = trial.state == NPU_TRIAL_RUNS && slot == selection.slot;
    enum npu_boot_code code = boot_slot(slot, on_trial ? &selection : NULL, entry);
    if (code == NPU_BOOT_BOOTED) {
      if (on_trial) start_trial(&trial);
      return true;
    }
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
