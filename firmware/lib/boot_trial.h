// SPDX-License-Identifier: Apache-2.0
/*
 * Firmware on trial after an update (firmware/abi/flash_layout.h). The boot ROM counts the attempts before it starts
 * one and arms the watchdog; the firmware confirms, and the trial is over for good. Only words that are still blank are
 * programmed, one at a time, so power may fail at any bit.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/boot_record.h"
#include "firmware/lib/boot_selection.h"

/* What the flash says of a selection. */
struct boot_trial {
  enum npu_trial state;  /* NPU_TRIAL_RUNS: it may be tried (again) */
  uint32_t attempts;     /* begun */
  uint32_t last_end;     /* of the last attempt whose end is known, NPU_BOOT_END; UNKNOWN: none */
  bool end_is_not_noted; /* of the last attempt */
};
struct boot_trial boot_trial_read(const struct boot_selection* selection);

/* For the boot ROM. Notes that an attempt begins; false: the flash did not take it. Needs attempts to be left. */
bool boot_trial_begin(const struct boot_selection* selection);
/* Notes how the last attempt ended, NPU_BOOT_END. */
void boot_trial_end(const struct boot_selection* selection, uint32_t end);

/* For whoever runs after the ROM, by the boot record. */
bool boot_trial_running(void);
/* Confirms what runs, and returns when that is in flash and in the boot record. True: it is not on trial any more. */
bool boot_trial_confirm(void);
