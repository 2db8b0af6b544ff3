// SPDX-License-Identifier: Apache-2.0
/*
 * Brings a command stream to the staging area in DRAM, where the Task Manager fetches it and the host cannot change it.
 */
#pragma once

#include <stdint.h>

#include "firmware/abi/memory_map.h"
#include "firmware/abi/queue.h"
#include "firmware/lib/dma.h"

#define STAGING_ADDRESS (NPU_MAP_DRAM + NPU_DRAM_COMMAND_STAGING)

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
 * `function`. `bytes` is 1..NPU_MAX_COMMAND_BYTES. Neighbouring host pages are copied together.
 */
struct staging_result staging_copy(uint32_t function, const struct npu_segment* segment, uint64_t offset,
                                   uint32_t bytes);
