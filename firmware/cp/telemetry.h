// SPDX-License-Identifier: Apache-2.0
/* The telemetry page in the memory of the physical function's host (firmware/abi/telemetry.h). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/status.h"

void telemetry_init(void);

/* Result of the self test, NPU_SELF_TEST_*. */
void telemetry_set_self_test(uint32_t failed);

/* A job has ended with `status`. */
void telemetry_count_job(enum npu_job_status status);

/* Something that the page shows has changed. */
void telemetry_note_change(void);

/*
 * Writes the page at bus address `page` (NPU_TELEMETRY_ALIGNMENT) now and, if `period_us` is not 0, whenever something
 * has changed and a period has passed; 0 as `page` ends that. False if the page cannot be written.
 */
bool telemetry_publish(uint64_t page, uint32_t period_us);

/* Writes the page if it is time; true if it did. */
bool telemetry_serve(uint64_t now_ns);

/* When telemetry_serve must be called, card time in ns, or ACLINT_NEVER. */
uint64_t telemetry_deadline(void);
