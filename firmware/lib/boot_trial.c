// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/boot_trial.h"

#include <stddef.h>

#include "firmware/abi/flash_layout.h"
#include "firmware/lib/boot_record.h"
#include "firmware/lib/flash.h"

/* Of an attempt. */
static uint32_t begun_address(const struct boot_selection* selection, uint32_t attempt) {
  return NPU_FLASH_TRIAL(selection->copy) + attempt * (uint32_t)sizeof(struct npu_boot_attempt);
}
static uint32_t end_address(const struct boot_selection* selection, uint32_t attempt) {
  return begun_address(selection, attempt) + (uint32_t)offsetof(struct npu_boot_attempt, end);
}
static uint32_t confirmed_address(const struct boot_selection* selection) {
  return NPU_FLASH_TRIAL(selection->copy) + (uint32_t)offsetof(struct npu_boot_trial, confirmed);
}

/* False: no flash answers, or the word does not read back. */
static bool program_word(uint32_t address, uint32_t value) {
  uint32_t back;
  if (!flash_present() || !flash_program(address, &value, sizeof(value))) return false;
  flash_read(address, &back, sizeof(back));
  return back == value;
}

struct boot_trial boot_trial_read(const struct boot_selection* selection) {
  struct boot_trial trial = {.state = NPU_TRIAL_NONE, .last_end = NPU_BOOT_END_UNKNOWN};
  if (!selection->on_trial) return trial;
  struct npu_boot_trial stored;
  flash_read(NPU_FLASH_TRIAL(selection->copy), &stored, sizeof(stored));
  while (trial.attempts < NPU_BOOT_TRIAL_ATTEMPTS && stored.attempt[trial.attempts].begun != NPU_FLASH_BLANK_WORD) {
    uint32_t end = stored.attempt[trial.attempts++].end;
    trial.end_is_not_noted = end == NPU_FLASH_BLANK_WORD;
    if (!trial.end_is_not_noted) trial.last_end = end;
  }
  if (stored.confirmed != NPU_FLASH_BLANK_WORD) {
    trial.state = NPU_TRIAL_NONE;
  } else {
    trial.state = trial.attempts < NPU_BOOT_TRIAL_ATTEMPTS ? NPU_TRIAL_RUNS : NPU_TRIAL_FAILED;
  }
  return trial;
}

bool boot_trial_begin(const struct boot_selection* selection) {
  return program_word(begun_address(selection, boot_trial_read(selection).attempts), 0);
}

void boot_trial_end(const struct boot_selection* selection, uint32_t end) {
  struct boot_trial trial = boot_trial_read(selection);
  if (trial.end_is_not_noted) (void)program_word(end_address(selection, trial.attempts - 1), end);
}

bool boot_trial_running(void) {
  const struct npu_boot_record* record = boot_record();
  return record && (record->trial & 0xffu) == NPU_TRIAL_RUNS;
}

bool boot_trial_confirm(void) {
  if (!boot_trial_running()) return true;
  struct boot_selection selection = boot_selection_read();
  if (!program_word(confirmed_address(&selection), NPU_FLASH_TRIAL_CONFIRMED)) return false;
  boot_record_confirm();
  return true;
}
