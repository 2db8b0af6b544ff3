// SPDX-License-Identifier: Apache-2.0
/*
 * Crash dump: registers, stack and queues at the moment of a trap, or of the watchdog's early interrupt, kept in the
 * DRAM's system reserve over resets and in flash over the loss of power (firmware/abi/crash.h, crash_archive.h). trap.c
 * calls it at the end of its report, part by part: what can be had of a broken firmware is kept. After an exception the
 * card stays as it is for the host to look at; after a hang, an uncorrectable error in the TCM, and while on trial, the
 * watchdog resets it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/crash.h"

/* `stack_top`: address behind the stack, whose contents a dump shows; 0: none. */
void crash_init(uint64_t stack_top);

/* Whether the DRAM holds a dump of an earlier run. */
bool crash_present(void);
void crash_forget(void);
