// SPDX-License-Identifier: Apache-2.0
/*
 * The few things of the hart that C cannot say. No interrupt is served by a handler: WFI returns when one enabled in
 * mie is pending (RISC-V privileged 3.3.3), so the code needs no locks. Timer and external interrupts are enabled only
 * around WFI, with mstatus.MIE 0. The one interrupt that may be taken elsewhere is the machine software interrupt, by
 * which the watchdog says that the main loop hangs; it ends the firmware as an exception does (trap.h).
 */
#pragma once

#include <stdint.h>

#ifdef NPU_FIRMWARE_NATIVE

void cpu_wait_for_interrupt(void);
void cpu_fence(void);
void cpu_take_watchdog(void);
void cpu_rewrite(uint64_t address);
void cpu_trap(void);

#else

#define CPU_MSTATUS_MIE (1u << 3)
#define CPU_MIE_SOFTWARE (1u << 3)
#define CPU_MIE_TIMER_AND_EXTERNAL (1u << 7 | 1u << 11)

/* Sleeps until a timer or external interrupt is pending. */
static inline void cpu_wait_for_interrupt(void) {
  __asm__ volatile(
      "csrc mstatus, %0\n"
      "csrs mie, %1\n"
      "wfi\n"
      "csrc mie, %1\n"
      "csrs mstatus, %0" ::"r"(CPU_MSTATUS_MIE),
      "r"(CPU_MIE_TIMER_AND_EXTERNAL)
      : "memory");
}

/* From now on the watchdog's early interrupt is a trap. */
static inline void cpu_take_watchdog(void) {
  __asm__ volatile(
      "csrs mie, %0\n"
      "csrs mstatus, %1" ::"r"(CPU_MIE_SOFTWARE),
      "r"(CPU_MSTATUS_MIE)
      : "memory");
}

/* Reads the 64-bit word at `address` and writes it back, with nobody in between. */
static inline void cpu_rewrite(uint64_t address) {
  __asm__ volatile("amoor.d zero, zero, (%0)" ::"r"(address) : "memory");
}

/* Ends the firmware by an exception. */
static inline void cpu_trap(void) {
  __builtin_trap();
}

/* Orders all earlier accesses to memory and devices before all later ones: around everything a DMA engine shares. */
static inline void cpu_fence(void) {
  __asm__ volatile("fence iorw, iorw" ::: "memory");
}

#endif
