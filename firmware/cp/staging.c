// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/staging.h"

#include <stdbool.h>

#include "firmware/lib/host_address.h"

/* A stream of full length that starts in the middle of a page touches one page more. */
enum { kMaxPages = NPU_MAX_COMMAND_BYTES / NPU_HOST_PAGE_BYTES + 1 };

/* DMA buffers, see queues.c. */
static uint64_t page_list_[kMaxPages];
static struct npu_command command_;
enum { kCommandsAtOnce = 128 };
_Alignas(64) static struct npu_command commands_[kCommandsAtOnce];

static struct staging_result unreadable(enum dma_result dma, uint64_t address) {
  return (struct staging_result){STAGING_UNREADABLE, dma, address};
}

static bool page_valid(uint64_t bus) {
  return bus % NPU_HOST_PAGE_BYTES == 0 && host_range_valid(bus, NPU_HOST_PAGE_BYTES);
}

static uint32_t pages_of(uint64_t offset, uint32_t bytes) {
  return (uint32_t)((offset + bytes - 1) / NPU_HOST_PAGE_BYTES - offset / NPU_HOST_PAGE_BYTES) + 1;
}

/* How many of `count` pages from `pages` on lie behind each other in bus address space. */
static uint32_t run_length(const uint64_t* pages, uint32_t count) {
  uint32_t length = 1;
  while (length < count && pages[length] == pages[length - 1] + NPU_HOST_PAGE_BYTES) ++length;
  return length;
}

static struct staging_result copy_pages(uint32_t function, uint64_t destination, uint32_t count, uint32_t skip,
                                        uint32_t bytes) {
  for (uint32_t page = 0; page < count;) {
    uint32_t run = run_length(page_list_ + page, count - page);
    uint32_t part = run * NPU_HOST_PAGE_BYTES - skip;
    if (part > bytes) part = bytes;
    uint64_t bus = page_list_[page] + skip;
    enum dma_result dma = dma_copy(function, destination, host_to_card(bus), part);
    if (dma != DMA_OK) return unreadable(dma, bus);
    destination += part;
    bytes -= part;
    page += run;
    skip = 0;
  }
  return (struct staging_result){STAGING_OK, DMA_OK, 0};
}

static struct staging_result copy_host_pages(uint32_t function, uint64_t destination, const struct npu_segment* segment,
                                             uint64_t offset, uint32_t bytes) {
  uint32_t count = pages_of(offset, bytes);
  uint64_t list = segment->base + offset / NPU_HOST_PAGE_BYTES * sizeof(uint64_t);
  enum dma_result dma =
      dma_copy(function, dma_address(page_list_), host_to_card(list), count * (uint32_t)sizeof(page_list_[0]));
  if (dma != DMA_OK) return unreadable(dma, list);
  for (uint32_t page = 0; page < count; ++page) {
    if (!page_valid(page_list_[page])) return (struct staging_result){STAGING_BAD_PAGE, DMA_OK, page_list_[page]};
  }
  return copy_pages(function, destination, count, (uint32_t)(offset % NPU_HOST_PAGE_BYTES), bytes);
}

struct staging_result staging_copy(uint32_t place, uint32_t function, const struct npu_segment* segment,
                                   uint64_t offset, uint32_t bytes) {
  uint64_t destination = staging_address(place);
  if (segment->kind == NPU_SEGMENT_HOST_PAGES) return copy_host_pages(function, destination, segment, offset, bytes);
  uint64_t source = segment->base + offset;
  enum dma_result dma = dma_copy(function, destination, source, bytes);
  return dma == DMA_OK ? (struct staging_result){STAGING_OK, DMA_OK, 0} : unreadable(dma, source);
}

bool staging_command(uint32_t place, uint32_t index, struct npu_command* command) {
  uint64_t source = staging_address(place) + index * sizeof(command_);
  if (dma_copy(0, dma_address(&command_), source, sizeof(command_)) != DMA_OK) return false;
  *command = command_;
  return true;
}

struct demand staging_demand(uint32_t place, uint32_t count, uint32_t neural_engines) {
  struct demand demand = {0};
  for (uint32_t done = 0; done < count;) {
    uint32_t part = count - done < kCommandsAtOnce ? count - done : kCommandsAtOnce;
    uint64_t source = staging_address(place) + done * sizeof(commands_[0]);
    if (dma_copy(0, dma_address(commands_), source, part * (uint32_t)sizeof(commands_[0])) != DMA_OK) {
      return (struct demand){.engines = UINT32_MAX, .shared_bytes = DEMAND_ALL_SHARED};
    }
    for (uint32_t i = 0; i < part; ++i) demand_add(&demand, &commands_[i], neural_engines);
    done += part;
  }
  return demand;
}
