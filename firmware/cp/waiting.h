// SPDX-License-Identifier: Apache-2.0
/*
 * Submissions that are examined and staged before their turn, while other jobs run: at most one of each context, which
 * is the next one of one of its queues. Each has a place of the staging area (staging.h) until its job has ended.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/cp/placement.h"
#include "firmware/cp/submissions.h"

/* One that waits. */
struct waiting {
  struct taken taken;
  struct demand demand; /* if its verdict is to run */
  uint64_t number;      /* counts all that have waited */
  uint64_t cost_ns;     /* what it took to bring it here: charged when it waits no more, or it would go behind others */
};

void waiting_init(uint32_t neural_engines);

/* Whether there is a place for another one, and `spare` more. */
bool waiting_has_room(uint32_t spare);

/* Takes the next submission of a ready queue whose context has none here. There is room. */
void waiting_add(uint32_t queue);

/* Place of the context's, or the queue's; -1 if none waits. */
int waiting_of_context(uint32_t context);
int waiting_of_queue(uint32_t queue);

const struct waiting* waiting_at(uint32_t place);

/* It waits no more: its job runs and keeps the place. */
void waiting_start(uint32_t place);
/* The place is free again. */
void waiting_release(uint32_t place);

/* Those of a function that was reset are forgotten. */
void waiting_forget_function(uint32_t function);

/* How many wait. */
uint32_t waiting_count(void);
