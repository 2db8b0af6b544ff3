// SPDX-License-Identifier: Apache-2.0
/*
 * From the rings to the Task Manager: whose job is examined, and which of those that wait starts, and where.
 *
 * The contexts are gone through in the order of scheduler.h. The first whose job finds its part of the card free gets
 * it. For the first that does not, a part is reserved: those behind it may start meanwhile, but only on what is left
 * then, so that a job that needs much waits for those that run and for nobody who comes later. Jobs of one context run
 * one after the other, in the order in which they were taken; so do those of one queue.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/lib/system_controller.h"

void dispatch_init(const struct board* board);

/* Examines, starts or completes one submission. False if there is nothing to do now. */
bool dispatch_next(void);

/* Completes the next submission of a queue that drains, if it has one, as NPU_JOB_ABORTED. Needs no turn. False if
 * there was nothing to do. */
bool dispatch_abort_next(uint32_t queue);
