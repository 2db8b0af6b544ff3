// SPDX-License-Identifier: Apache-2.0
/*
 * Which P-state the card is in: P14 when no job has run for PSTATE_IDLE_NS, else P2 or what the host asked for, else
 * what the temperature allows. The lowest performance wins.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Short against a job, long against the gap between two of them. */
#define PSTATE_IDLE_NS 1000000ull

/* Idle from the begin. */
void pstate_init(uint64_t now_ns);

/* A job is about to start: full speed now, not at the next round of the main loop. */
void pstate_wake(uint64_t now_ns);

/* 2, 4 or 6 while jobs run; 0: automatic. False, with nothing changed, for any other. */
bool pstate_request(uint32_t state);
uint32_t pstate_requested(void);

/* Of the temperature: 10, 12, or 0 for none. */
void pstate_limit(uint32_t state);

/* Brings the card into the state that follows from all that. `busy`: a job runs. */
void pstate_serve(uint64_t now_ns, bool busy);

/* When pstate_serve must be called, card time in ns, or ACLINT_NEVER. */
uint64_t pstate_deadline(void);
