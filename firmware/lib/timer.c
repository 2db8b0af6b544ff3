// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/timer.h"

#include "firmware/abi/memory_map.h"
#include "firmware/lib/mmio.h"
#include "npu/registers/timer.h"

void timer_start_once(uint32_t timer, uint32_t cycles) {
  timer_stop(timer);
  mmio_write32(NPU_MAP_TIMER + TIMER_EXPIRED, 1u << timer);
  mmio_write32(NPU_MAP_TIMER + TIMER_PRESCALE(timer), 0);
  mmio_write32(NPU_MAP_TIMER + TIMER_LOAD(timer), cycles);
  mmio_write32(NPU_MAP_TIMER + TIMER_CONTROL(timer), TIMER_CONTROL_ENABLE_MASK | TIMER_CONTROL_IRQ_ENABLE_MASK);
}

bool timer_take_expired(uint32_t timer) {
  if (!(mmio_read32(NPU_MAP_TIMER + TIMER_EXPIRED) & 1u << timer)) return false;
  mmio_write32(NPU_MAP_TIMER + TIMER_EXPIRED, 1u << timer);
  return true;
}

void timer_stop(uint32_t timer) {
  mmio_write32(NPU_MAP_TIMER + TIMER_CONTROL(timer), 0);
}
