// SPDX-License-Identifier: Apache-2.0
/*
 * What the firmware does for its card beside running jobs: self test, watchdog, event log, thermal and P-state control,
 * telemetry, crash dumps. One place for the main loop to call (service.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/lib/mailbox.h"
#include "firmware/lib/plic.h"

/* Sources of the PLIC that management_serve_source serves. */
#define MANAGEMENT_SOURCES (PLIC_SOURCE(NPU_IRQ_SENSORS))

/* After everything else is initialised. False if the self test failed: the card must not take jobs. */
bool management_init(void);

void management_serve_source(uint32_t source);

/* P-state and telemetry, as the time and the jobs ask for; true if something was done. */
bool management_serve_time(uint64_t now_ns);
uint64_t management_deadline(void);

/* Answers TELEMETRY, EVENT_LOG, CRASH_DUMP, CRASH_ARCHIVE, PSTATE and TEST of the physical function; false: it is none
 * of them. */
bool management_serve_message(const struct mailbox_message* message);
