// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/update.h"

#include <stddef.h>
#include <string.h>

#include "firmware/abi/boot_record.h"
#include "firmware/abi/flash_layout.h"
#include "firmware/abi/image.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/boot_record.h"
#include "firmware/lib/boot_selection.h"
#include "firmware/lib/boot_trial.h"
#include "firmware/lib/crypto.h"
#include "firmware/lib/dma.h"
#include "firmware/lib/flash.h"
#include "firmware/lib/host_address.h"
#include "firmware/lib/image_authority.h"
#include "firmware/lib/log.h"
#include "firmware/lib/otp.h"

/* How long to leave a busy flash alone; an erase takes some 45 ms, a page 0.4 ms. */
static const uint64_t kErasePollNs = ACLINT_NS_PER_MS;
static const uint64_t kProgramPollNs = 100 * ACLINT_NS_PER_US;

enum step {
  STEP_NONE,
  STEP_WRITE,           /* the piece goes to flash, page by page */
  STEP_HASH,            /* the payload is read back, piece by piece */
  STEP_ERASE_SELECTION, /* the older one */
  STEP_PROGRAM_SELECTION,
  STEP_CHECK_SELECTION,
};

/* The image that is being written. */
static struct {
  bool open;
  uint32_t slot;
  uint32_t bytes;
  uint32_t received;
} image_;

/* The message that is being served. */
static struct {
  enum step step;
  struct mailbox_message request;
  uint32_t at;  /* next byte: of the piece to write, or of the image to hash */
  uint32_t end; /* bytes of the piece, or of the image */
  bool erased;  /* the sector that begins at `at` is */
  bool flash_runs;
  uint64_t flash_deadline_ns, poll_ns, poll_interval_ns;
} work_;

static uint8_t piece_[NPU_UPDATE_MOST_BYTES] __attribute__((aligned(8))); /* static: DMA and crypto block use it */
static struct npu_image_header header_;                                   /* the same */

void update_init(void) {
  memset(&image_, 0, sizeof(image_));
  memset(&work_, 0, sizeof(work_));
}

bool update_message(uint32_t opcode) {
  return opcode >= NPU_MESSAGE_UPDATE_BEGIN && opcode <= NPU_MESSAGE_UPDATE_COMMIT;
}

static void reply(const struct mailbox_message* request, enum npu_mailbox_status status, uint32_t code, uint32_t value,
                  uint32_t version) {
  struct mailbox_message message = {{0, code, value, version}};
  mailbox_reply(0, request, &message, status);
}

static void refuse(const struct mailbox_message* request, enum npu_mailbox_status status, const char* reason) {
  log_line("update: message %u refused: %s", NPU_MAILBOX_OPCODE(request->word[0]), reason);
  reply(request, status, NPU_BOOT_NONE, 0, 0);
}

/* Ends the update: what was written stays, but is not selected. */
static bool fail(enum npu_boot_code code, const char* reason) {
  log_line("update failed (code %u): %s", (unsigned)code, reason);
  image_.open = false;
  work_.step = STEP_NONE;
  reply(&work_.request, NPU_MAILBOX_BAD_ARGUMENT, code, 0, 0);
  return true;
}

static bool finish(uint32_t value, uint32_t version) {
  work_.step = STEP_NONE;
  reply(&work_.request, NPU_MAILBOX_OK, NPU_BOOT_NONE, value, version);
  return true;
}

static void start(enum step step, const struct mailbox_message* request, uint32_t at, uint32_t end) {
  memset(&work_, 0, sizeof(work_));
  work_.step = step;
  work_.request = *request;
  work_.at = at;
  work_.end = end;
}

/* The slot that the card would not miss. */
static uint32_t spare_slot(void) {
  const struct npu_boot_record* record = boot_record();
  if (record && record->source == NPU_BOOT_SOURCE_SLOT_A) return 1;
  if (record && record->source == NPU_BOOT_SOURCE_SLOT_B) return 0;
  /* Neither boots: the one that is selected counts, unless it has yet to prove itself or has failed to. */
  struct boot_selection selection = boot_selection_read();
  return boot_trial_read(&selection).state == NPU_TRIAL_NONE ? 1 - selection.slot : selection.slot;
}

static void serve_begin(const struct mailbox_message* request) {
  uint32_t bytes = request->word[1];
  if (!flash_present()) {
    log_line("update: the flash does not answer");
    reply(request, NPU_MAILBOX_NOT_READY, NPU_BOOT_FLASH_ERROR, 0, 0);
    return;
  }
  if (boot_trial_running()) { /* the slot to write is the one to go back to */
    refuse(request, NPU_MAILBOX_BUSY, "what runs is on trial");
    return;
  }
  if (bytes <= sizeof(header_) || bytes > NPU_FLASH_SLOT_BYTES) {
    refuse(request, NPU_MAILBOX_BAD_ARGUMENT, "an image of that size fits no slot");
    return;
  }
  image_.open = true;
  image_.slot = spare_slot();
  image_.bytes = bytes;
  image_.received = 0;
  log_line("update: %u bytes for slot %c", bytes, 'A' + (char)image_.slot);
  reply(request, NPU_MAILBOX_OK, NPU_BOOT_NONE, image_.slot, 0);
}

static bool serve_write(const struct mailbox_message* request) {
  uint64_t bus = mailbox_address(request, 1);
  uint32_t bytes = request->word[3], offset = request->word[4];
  const char* reason = NULL;
  if (!image_.open) {
    reason = "no update was begun";
  } else if (offset != image_.received) {
    reason = "not where the last piece ended";
  } else if (bytes == 0 || bytes > NPU_UPDATE_MOST_BYTES || bytes > image_.bytes - offset) {
    reason = "size";
  } else if (bus % 8 != 0 || !host_range_valid(bus, bytes)) {
    reason = "bus address";
  }
  if (reason) {
    refuse(request, NPU_MAILBOX_BAD_ARGUMENT, reason);
    return false;
  }
  if (dma_copy(0, dma_address(piece_), host_to_card(bus), bytes) != DMA_OK) {
    log_line("update: piece at bus address %lx unreadable", (unsigned long)bus);
    reply(request, NPU_MAILBOX_BAD_ARGUMENT, NPU_BOOT_DMA_ERROR, 0, 0);
    return false;
  }
  start(STEP_WRITE, request, 0, bytes);
  return true;
}

static bool serve_finish(const struct mailbox_message* request) {
  if (!image_.open || image_.received != image_.bytes) {
    refuse(request, NPU_MAILBOX_BAD_ARGUMENT, "the image is not complete");
    return false;
  }
  start(STEP_HASH, request, sizeof(header_), 0);
  flash_read(NPU_FLASH_SLOT(image_.slot), &header_, sizeof(header_));
  struct image_verdict verdict = image_check_header(&header_, image_.bytes, NPU_ABI_VERSION);
  if (verdict.code == NPU_BOOT_NONE) verdict = image_check_authority(&header_);
  if (verdict.code != NPU_BOOT_NONE) {
    (void)fail(verdict.code, verdict.reason);
    return false;
  }
  work_.end = (uint32_t)sizeof(header_) + header_.payload_bytes;
  return true;
}

static void serve_commit(const struct mailbox_message* request) {
  const struct npu_boot_record* record = boot_record();
  if (!record || record->source == NPU_BOOT_SOURCE_NONE) {
    refuse(request, NPU_MAILBOX_NOT_READY, "nothing is known of what runs");
    return;
  }
  if (!boot_trial_confirm()) {
    log_line("update: what runs is on trial and the flash does not take its confirmation");
    reply(request, NPU_MAILBOX_NOT_READY, NPU_BOOT_FLASH_ERROR, 0, 0);
    return;
  }
  bool raised = otp_raise_rollback(record->security_version);
  log_line("update: rollback counter %s %u", raised ? "is" : "could not be raised, it is", otp_rollback());
  reply(request, raised ? NPU_MAILBOX_OK : NPU_MAILBOX_BAD_ARGUMENT, NPU_BOOT_NONE, otp_rollback(), 0);
}

bool update_serve(const struct mailbox_message* message) {
  switch (NPU_MAILBOX_OPCODE(message->word[0])) {
    case NPU_MESSAGE_UPDATE_BEGIN:
      serve_begin(message);
      return false;
    case NPU_MESSAGE_UPDATE_WRITE:
      return serve_write(message);
    case NPU_MESSAGE_UPDATE_FINISH:
      return serve_finish(message);
    default:
      serve_commit(message);
      return false;
  }
}

static void flash_started(uint64_t now_ns, uint64_t poll_interval_ns) {
  work_.flash_runs = true;
  work_.flash_deadline_ns = now_ns + FLASH_TIMEOUT_NS;
  work_.poll_interval_ns = poll_interval_ns;
  work_.poll_ns = now_ns + poll_interval_ns;
}

/* The next page of the piece, its sector erased first. */
static bool step_write(uint64_t now_ns) {
  if (work_.at == work_.end) {
    image_.received += work_.end;
    return finish(image_.slot, 0);
  }
  uint32_t address = NPU_FLASH_SLOT(image_.slot) + image_.received + work_.at;
  if (address % NPU_FLASH_SECTOR_BYTES == 0 && !work_.erased) {
    flash_start_erase(address);
    flash_started(now_ns, kErasePollNs);
    work_.erased = true;
    return false;
  }
  uint32_t room = NPU_FLASH_PAGE_BYTES - address % NPU_FLASH_PAGE_BYTES, left = work_.end - work_.at;
  uint32_t bytes = left < room ? left : room;
  flash_start_program(address, piece_ + work_.at, bytes);
  flash_started(now_ns, kProgramPollNs);
  work_.at += bytes;
  work_.erased = false;
  return false;
}

static bool step_hash(void) {
  uint32_t left = work_.end - work_.at;
  uint32_t bytes = left < sizeof(piece_) ? left : (uint32_t)sizeof(piece_);
  uint32_t parts = (work_.at == sizeof(header_) ? CRYPTO_FIRST : 0) | (bytes == left ? CRYPTO_LAST : 0);
  flash_read(NPU_FLASH_SLOT(image_.slot) + work_.at, piece_, bytes);
  if (!crypto_hash(image_hash(&header_), parts, dma_address(piece_), bytes)) {
    return fail(NPU_BOOT_CRYPTO_ERROR, "the payload could not be hashed");
  }
  work_.at += bytes;
  if (work_.at < work_.end) return false;
  struct image_verdict verdict = image_check_digest(&header_);
  if (verdict.code != NPU_BOOT_NONE) return fail(verdict.code, verdict.reason);
  work_.step = STEP_ERASE_SELECTION;
  return false;
}

static bool step_erase_selection(uint64_t now_ns) {
  struct boot_selection current = boot_selection_read();
  flash_start_erase(boot_selection_address(&current));
  flash_started(now_ns, kErasePollNs);
  work_.step = STEP_PROGRAM_SELECTION;
  return false;
}

static bool step_program_selection(uint64_t now_ns) {
  struct boot_selection current = boot_selection_read();
  struct npu_boot_selection next = boot_selection_next(&current, image_.slot);
  flash_start_program(boot_selection_address(&current), &next, sizeof(next));
  flash_started(now_ns, kProgramPollNs);
  work_.step = STEP_CHECK_SELECTION;
  return false;
}

static bool step_check_selection(void) {
  struct boot_selection current = boot_selection_read();
  if (current.slot != image_.slot) return fail(NPU_BOOT_FLASH_ERROR, "the selection cannot be read back");
  uint32_t version = header_.image_version;
  log_line("update: %u.%u.%u in slot %c boots after the next reset", version >> 16, version >> 8 & 0xffu,
           version & 0xffu, 'A' + (char)image_.slot);
  image_.open = false;
  return finish(image_.slot, version);
}

bool update_poll(uint64_t now_ns) {
  if (now_ns < work_.poll_ns) return false;
  if (work_.flash_runs && flash_busy()) {
    if (now_ns >= work_.flash_deadline_ns) return fail(NPU_BOOT_FLASH_ERROR, "the flash does not end a write");
    work_.poll_ns = now_ns + work_.poll_interval_ns;
    return false;
  }
  work_.flash_runs = false;
  switch (work_.step) {
    case STEP_WRITE:
      return step_write(now_ns);
    case STEP_HASH:
      return step_hash();
    case STEP_ERASE_SELECTION:
      return step_erase_selection(now_ns);
    case STEP_PROGRAM_SELECTION:
      return step_program_selection(now_ns);
    case STEP_CHECK_SELECTION:
      return step_check_selection();
    default:
      return true;
  }
}

uint64_t update_deadline(void) {
  return work_.poll_ns;
}
