// SPDX-License-Identifier: Apache-2.0
/*
 * Brings a command stream to the staging area in DRAM, where the Task Manager fetches it and the host cannot change it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/command.h"
#include "firmware/abi/memory_map.h"
#include "firmware/abi/queue.h"
#include "firmware/cp/demand.h"
#include "firmware/lib/dma.h"

/* Jobs that are staged at a time: those that run, and some that wait. */
#define STAGING_PLACES 16u
static_assert(NPU_DRAM_COMMAND_STAGING + STAGING_PLACES * (uint64_t)NPU_MAX_COMMAND_BYTES <= NPU_DRAM_FAULT_RECORDS,
              "the places fit into their part of the reserve");

/* Where the stream of the job in `place` stands. */
static inline uint64_t staging_address(uint32_t place) {
  return NPU_MAP_DRAM + NPU_DRAM_COMMAND_STAGING + place * (uint64_t)NPU_MAX_COMMAND_BYTES;
}

enum staging_status {
  STAGING_OK = 0,
  STAGING_UNREADABLE = 1, /* `address` could not be read: a bus address, or a card address for a DEVICE segment */
  STAGING_BAD_PAGE = 2,   /* the page list holds `address`, which is no page the card can reach */
};

struct staging_result {
  enum staging_status status;
  enum dma_result dma;
  uint64_t address;
};

/*
 * Copies [offset, offset + bytes) of a valid `segment`, which contains the range, in the name of PCIe function
 * `function`, to `place`. `bytes` is 1..NPU_MAX_COMMAND_BYTES. Neighbouring host pages are copied
 * together.
 */
struct staging_result staging_copy(uint32_t place, uint32_t function, const struct npu_segment* segment,
                                   uint64_t offset, uint32_t bytes);

/* Reads command `index` of the stream in `place` back; false if its memory has gone bad. */
bool staging_command(uint32_t place, uint32_t index, struct npu_command* command);

/* What the `count` commands in `place` need on a card with `neural_engines`. If they cannot be read: everything, and
 * the Task Manager will say so. */
struct demand staging_demand(uint32_t place, uint32_t count, uint32_t neural_engines);
