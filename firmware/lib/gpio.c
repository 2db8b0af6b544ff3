// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/gpio.h"

#include "firmware/abi/memory_map.h"
#include "firmware/lib/mmio.h"
#include "npu/registers/gpio.h"

bool gpio_strapped_for_recovery(void) {
  uint32_t boot = (mmio_read32(NPU_MAP_GPIO + GPIO_STRAPS) & GPIO_STRAPS_BOOT_MASK) >> GPIO_STRAPS_BOOT_SHIFT;
  return boot == GPIO_STRAPS_BOOT_RECOVERY;
}
