// SPDX-License-Identifier: Apache-2.0
/* The firmware's main loop in two steps: serve everything that can be served, then sleep until there is more. */
#pragma once

#include <stdbool.h>

/* Interrupts, console banner, services; CARD_STATE READY at the end. */
void service_init(void);

/*
 * Serves each pending interrupt, with one message of each function, what has timed out, one submission, and clears one
 * piece of memory. False: nothing is left to do now.
 */
bool service_poll(void);

/* Sleeps until an interrupt or the next deadline. */
void service_sleep(void);
