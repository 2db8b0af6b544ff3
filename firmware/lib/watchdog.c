// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/watchdog.h"

#include "firmware/abi/memory_map.h"
#include "firmware/lib/mmio.h"
#include "npu/registers/watchdog.h"

static void write_register(uint32_t offset, uint32_t value) {
  mmio_write32(NPU_MAP_WATCHDOG + offset, value);
}

void watchdog_arm(uint32_t timeout_us) {
  write_register(WATCHDOG_TIMEOUT_US, timeout_us);
  write_register(WATCHDOG_CONTROL, WATCHDOG_CONTROL_ENABLE_MASK);
}

void watchdog_start(uint32_t timeout_us, uint32_t early_us) {
  watchdog_kick(); /* the boot ROM may have armed it */
  write_register(WATCHDOG_TIMEOUT_US, timeout_us);
  write_register(WATCHDOG_EARLY_US, early_us);
  write_register(WATCHDOG_CONTROL, WATCHDOG_CONTROL_ENABLE_MASK);
  write_register(WATCHDOG_LOCK, WATCHDOG_LOCK_LOCKED_MASK);
}

void watchdog_kick(void) {
  write_register(WATCHDOG_KICK, WATCHDOG_KICK_KEY_KICK);
}

void watchdog_sleep(void) {
  write_register(WATCHDOG_KICK, WATCHDOG_KICK_KEY_SLEEP);
}

uint32_t watchdog_resets(void) {
  return mmio_read32(NPU_MAP_WATCHDOG + WATCHDOG_RESETS) & WATCHDOG_RESETS_COUNT_MASK;
}
