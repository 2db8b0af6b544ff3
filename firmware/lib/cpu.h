// SPDX-License-Identifier: Apache-2.0
/*
 * The few things of the hart that C cannot say. Interrupts are never taken: mstatus.MIE stays 0 and WFI returns when an
 * interrupt enabled in mie is pending, so the code needs no locks and has no handlers (RISC-V privileged 3.3.3).
 */
#pragma once

#include <stdint.h>

#ifdef NPU_FIRMWARE_NATIVE

void cpu_wait_for_interrupt(void);
void cpu_fence(void);

#else

/* Sleeps until a timer or external interrupt is pending. */
static inline void cpu_wait_for_interrupt(void) {
  __asm__ volatile("wfi" ::: "memory");
}

/* Orders all earlier accesses to memory and devices before all later ones: around everything a DMA engine shares. */
static inline void cpu_fence(void) {
  __asm__ volatile("fence iorw, iorw" ::: "memory");
}

#endif
