// SPDX-License-Identifier: Apache-2.0
/*
 * The engines behind the Task Manager (Neural Engines and the channels of the DMA engines), as far as firmware deals
 * with them itself: which command each holds, and the reset that frees one that hangs.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A command in an engine. */
struct engine_work {
  uint32_t kind;    /* enum npu_command_kind */
  uint32_t engine;  /* number within the kind */
  uint32_t command; /* index in its stream */
};

/* The first engine that holds a command of address space `asid`; false if none does. */
bool engines_find(uint32_t neural_engines, uint32_t asid, struct engine_work* work);

/* Resets every engine that holds a command of `asid`, which ends there; others do not notice. Returns how many. */
uint32_t engines_reset(uint32_t neural_engines, uint32_t asid);
