// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/engines.h"

#include "firmware/abi/command.h"
#include "firmware/abi/memory_map.h"
#include "firmware/lib/mmio.h"
#include "npu/registers/dma.h"
#include "npu/registers/ne.h"

/* Where the state of an engine stands. NE_STATUS and DMA_CHANNEL_STATUS have the same fields. */
struct place {
  uint64_t status, command, reset;
  uint32_t reset_value;
};

static_assert(NE_STATUS_BUSY_MASK == DMA_CHANNEL_STATUS_BUSY_MASK, "one way to read both");
static_assert(NE_STATUS_ASID_SHIFT == DMA_CHANNEL_STATUS_ASID_SHIFT, "one way to read both");

/* Engines of a kind, in the order of their queues in the Task Manager. */
static const uint32_t kKinds[] = {NPU_COMMAND_NEURAL_ENGINE, NPU_COMMAND_NEURAL_DMA, NPU_COMMAND_TASK_DMA,
                                  NPU_COMMAND_EXTERNAL_HDMA, NPU_COMMAND_DEVICE_HDMA};
enum { kKindCount = sizeof(kKinds) / sizeof(kKinds[0]) };

static uint32_t count_of(uint32_t kind, uint32_t neural_engines) {
  switch (kind) {
    case NPU_COMMAND_TASK_DMA:
      return 1;
    case NPU_COMMAND_EXTERNAL_HDMA:
    case NPU_COMMAND_DEVICE_HDMA:
      return 2;
    default:
      return neural_engines;
  }
}

static struct place channel(uint64_t block, uint32_t number) {
  return (struct place){block + DMA_CHANNEL_STATUS(number), block + DMA_CHANNEL_COMMAND(number),
                        block + DMA_CHANNEL_RESET, 1u << number};
}

static struct place place_of(uint32_t kind, uint32_t engine) {
  switch (kind) {
    case NPU_COMMAND_NEURAL_DMA:
      return channel(NPU_MAP_NEURAL_DMA, engine);
    case NPU_COMMAND_TASK_DMA:
      return channel(NPU_MAP_TASK_DMA, engine);
    case NPU_COMMAND_EXTERNAL_HDMA:
      return channel(NPU_MAP_EXTERNAL_HDMA, engine);
    case NPU_COMMAND_DEVICE_HDMA:
      return channel(NPU_MAP_DEVICE_HDMA, engine);
    default: {
      uint64_t block = NPU_MAP_NEURAL_ENGINE + engine * NPU_MAP_NEURAL_ENGINE_STRIDE;
      return (struct place){block + NE_STATUS, block + NE_COMMAND, block + NE_CONTROL, NE_CONTROL_RESET_MASK};
    }
  }
}

static bool holds(const struct place* place, uint32_t asid) {
  uint32_t status = mmio_read32(place->status);
  return (status & NE_STATUS_BUSY_MASK) && (status & NE_STATUS_ASID_MASK) >> NE_STATUS_ASID_SHIFT == asid;
}

bool engines_find(uint32_t neural_engines, uint32_t asid, struct engine_work* work) {
  for (uint32_t i = 0; i < kKindCount; ++i) {
    for (uint32_t engine = 0; engine < count_of(kKinds[i], neural_engines); ++engine) {
      struct place place = place_of(kKinds[i], engine);
      if (!holds(&place, asid)) continue;
      *work = (struct engine_work){kKinds[i], engine, mmio_read32(place.command)};
      return true;
    }
  }
  return false;
}

uint32_t engines_reset(uint32_t neural_engines, uint32_t asid) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < kKindCount; ++i) {
    for (uint32_t engine = 0; engine < count_of(kKinds[i], neural_engines); ++engine) {
      struct place place = place_of(kKinds[i], engine);
      if (!holds(&place, asid)) continue;
      mmio_write32(place.reset, place.reset_value);
      ++count;
    }
  }
  return count;
}
