// SPDX-License-Identifier: Apache-2.0
/*
 * Which part of the on-chip memories a job gets. Its engines may be any of the card, since the Task Manager counts a
 * job's engines by themselves; its part of the shared memory is one piece. A job that finds its own numbers free gets
 * those, so that a program that has the card for itself always works in the same places.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/cp/demand.h"

#define PLACEMENT_SHARED_BLOCK 0x10000u /* granularity of parts of the shared memory */
#define PLACEMENT_WHOLE_CARD 256u       /* weight of a job that leaves room for no other */

/* What there is. */
struct placement_card {
  uint32_t neural_engines;
  uint32_t shared_bytes;
};

struct part {
  uint32_t engines;      /* of the card: bit n for engine n */
  uint32_t first_engine; /* what the job calls the lowest of them; the others follow it */
  uint32_t shared_base;  /* the memory's end if it has none of it */
  uint32_t shared_bytes;
};

/* Finds a place that overlaps none of `taken`; false if there is none now. */
bool placement_find(const struct placement_card* card, const struct demand* demand, const struct part* taken,
                    uint32_t count, struct part* part);

/* A place for a job that waits for some of `taken` to end: where those are, so that what is free stays so for others.
 */
struct part placement_reserve(const struct placement_card* card, const struct demand* demand, const struct part* taken,
                              uint32_t count);

/* Which of the card's engines the job's `engine` is. */
uint32_t part_engine(const struct part* part, uint32_t engine);

/* How much of the card the part is, 1 to PLACEMENT_WHOLE_CARD: its share of the engines or of the shared memory, the
 * larger one; that of one engine at least, since every job uses the DMA engines. */
uint32_t part_weight(const struct placement_card* card, const struct part* part);
