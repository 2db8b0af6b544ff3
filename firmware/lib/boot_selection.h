// SPDX-License-Identifier: Apache-2.0
/* Which flash slot boots first (firmware/abi/flash_layout.h). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct boot_selection {
  uint32_t slot;     /* tried first, unless its trial has failed (boot_trial.h) */
  bool on_trial;     /* since it was selected; whether it was confirmed is not looked at here */
  uint32_t sequence; /* of the selection that counts; 0: there is none, slot A is tried first */
  uint32_t copy;     /* where it stands: the next one goes to the other copy */
};

struct boot_selection boot_selection_read(void);

/* Address of the copy that a new selection goes to, and what to write there once the sector is erased: `slot` is on
 * trial. */
uint32_t boot_selection_address(const struct boot_selection* current);
struct npu_boot_selection boot_selection_next(const struct boot_selection* current, uint32_t slot);
