// SPDX-License-Identifier: Apache-2.0
#include <stdbool.h>

#include "firmware/lib/aclint.h"
#include "firmware/lib/cpu.h"
#include "firmware/lib/plic.h"
#include "firmware/rom/rom.h"

uint64_t rom_main(void);

/* Called by start.S; returns the entry of a verified image. */
uint64_t rom_main(void) {
  uint64_t entry;
  rom_init();
  bool booted = rom_start(&entry);
  while (!booted && !rom_serve(&entry)) {
    aclint_set_deadline(ACLINT_NEVER);
    cpu_wait_for_interrupt();
  }
  plic_enable(0);
  aclint_set_deadline(ACLINT_NEVER);
  return entry;
}
