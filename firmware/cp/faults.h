// SPDX-License-Identifier: Apache-2.0
/*
 * Fault records (firmware/abi/fault.h) in the card's DRAM, a ring for each function, so that one that fails all the
 * time displaces only its own. They are written and read by DMA: the hart would trap on memory that has gone bad.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/fault.h"
#include "firmware/cp/functions.h"

void faults_init(void);

/* Keeps `record`, whose sequence and time are filled in here, as the newest of its function. */
void faults_record(struct npu_fault_record* record);

/* A function was reset: its next owner finds none. */
void faults_forget_function(uint32_t function);

struct faults_copied {
  bool ok;           /* false: host or card memory failed */
  uint32_t count;    /* records written */
  uint32_t sequence; /* of the last one written, or `after` */
  uint32_t newest;   /* 0: none yet */
  uint32_t lost;     /* after `after`, but kept no longer */
};

/*
 * Copies records of function `of` that follow sequence `after`, oldest first, at most `count`, to bus address `bus` of
 * function `reader`, which is valid for that many.
 */
struct faults_copied faults_copy(uint32_t of, uint32_t after, uint32_t reader, uint64_t bus, uint32_t count);
