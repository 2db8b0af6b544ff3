// SPDX-License-Identifier: Apache-2.0
/*
 * The watchdog. Its early interrupt reaches this hart as machine software interrupt, the only one that firmware takes
 * (cpu.h): whatever hangs, the trap handler hears of it with the registers of the hang, before the card is reset.
 */
#pragma once

#include <stdint.h>

/* Switches it on and locks it until the next card reset. `early_us` < `timeout_us`, both from the last kick. */
void watchdog_start(uint32_t timeout_us, uint32_t early_us);

/* Switches it on for software that has yet to start it: without early interrupt and without the lock. */
void watchdog_arm(uint32_t timeout_us);

/* The main loop is alive. Nobody else may say so. */
void watchdog_kick(void);

/* A kick before WFI: no time counts until the next one. */
void watchdog_sleep(void);

/* Resets by the watchdog since power on. */
uint32_t watchdog_resets(void);
