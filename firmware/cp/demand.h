// SPDX-License-Identifier: Apache-2.0
/*
 * What a job needs of the card for itself alone: Neural Engines with their scratchpads and DMA channels, and a part of
 * the shared memory. Its command stream says so. Everything else (Task DMA, the HDMAs, Device Sync, the DRAM) serves
 * all jobs at once.
 *
 * The answer is never too small for a job that can run: what it leaves out, the Task Manager refuses to the job, so
 * that a stream that lies gets a fault and nothing of anybody else.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/command.h"

#define DEMAND_ALL_SHARED UINT64_MAX

struct demand {
  uint32_t engines;      /* bit n: its commands name Neural Engine n */
  uint64_t shared_bytes; /* of the shared memory, from its begin; DEMAND_ALL_SHARED: no telling */
  bool stepped;          /* while it is found out: the last command was a STEP */
  bool steps_far;        /* which may lead into another address space */
};

/* Adds what the next command of the stream needs, on a card with `neural_engines`. Starts from zero. */
void demand_add(struct demand* demand, const struct npu_command* command, uint32_t neural_engines);
