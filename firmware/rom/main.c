// SPDX-License-Identifier: Apache-2.0
#include <stdbool.h>

#include "firmware/abi/abi.h"
#include "firmware/abi/ecc.h"
#include "firmware/abi/memory_map.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/cpu.h"
#include "firmware/lib/plic.h"
#include "firmware/rom/rom.h"
#include "npu/registers/ecc.h"

/* What start.S cannot include. */
static_assert(NPU_MAP_ECC == 0x1000c000 && ECC_CHECK == 0x24 && ECC_INIT == 0x28 && NPU_ECC_TCM == 1,
              "as start.S says");

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
