// SPDX-License-Identifier: Apache-2.0
/*
 * Crash dump: registers, stack and queues at the moment of a trap, or of the watchdog's early interrupt, kept in the
 * DRAM's system reserve over resets (firmware/abi/crash.h). trap.c calls it at the end of its report. After an
 * exception the card stays as it is for the host to look at; after a hang the watchdog resets it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/crash.h"

/* Where a dump goes beside the DRAM: the flash, when there is a driver for it. Called in the trap handler. */
typedef void (*crash_sink)(const struct npu_crash_dump* dump);

/* `stack_top`: address behind the stack, whose contents a dump shows; 0: none. */
void crash_init(uint64_t stack_top, crash_sink sink);

/* Whether the DRAM holds a dump of an earlier run. */
bool crash_present(void);
void crash_forget(void);
