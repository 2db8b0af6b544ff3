// SPDX-License-Identifier: Apache-2.0
/*
 * Exceptions, and the watchdog's early interrupt (cpu.h). Firmware expects none of them, so each one ends it: the
 * registers are dumped on the console, a crash record is left for the next boot, the host sees CARD_STATE FAULT, and
 * the hart stops.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TRAP_REGISTERS 31u /* x1..x31 */

/* Written by trap_entry in trap_entry.S, which knows this layout. */
struct trap_frame {
  uint64_t x[TRAP_REGISTERS]; /* x[n - 1] is register n */
  uint64_t mepc;
  uint64_t mcause;
  uint64_t mtval;
  uint64_t mstatus;
};

/*
 * Called by trap_report at its end with part 0, 1, 2, ... until it returns false, which says that there was no such
 * part. Who wants to keep more of the crash than the scratch registers hold defines it.
 */
bool trap_record(const struct trap_frame* frame, unsigned part);

/*
 * Dumps `frame`, writes the crash record, sets CARD_STATE FAULT. The firmware's state may be what is broken: a further
 * exception in one step of the report goes on with the next one (trap_report_again, called by trap_entry.S).
 */
void trap_report(const struct trap_frame* frame);
void trap_report_again(void);

/* Cause of the trap that ended an earlier run: mcause in 6:0, 7 set for an interrupt; `none` if there is no record. */
uint32_t trap_last_cause(uint32_t none);

/* Prints and clears the crash record of an earlier run, if the scratch registers hold one. */
bool trap_report_last_crash(void);
