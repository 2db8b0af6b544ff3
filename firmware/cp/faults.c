// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/faults.h"

#include <string.h>

#include "firmware/abi/memory_map.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/dma.h"
#include "firmware/lib/host_address.h"

static_assert((NPU_FAULT_RECORDS + NPU_MAX_VFS * NPU_VF_FAULT_RECORDS) * sizeof(struct npu_fault_record) <=
                  NPU_DRAM_FAULT_RECORDS_BYTES,
              "the rings fit into their part of the reserve");

static uint32_t newest_[FUNCTIONS_MAX]; /* sequence; 0: none */
static uint32_t kept_[FUNCTIONS_MAX];   /* the newest so many are there */

/* DMA buffer, see queues.c. */
_Alignas(64) static struct npu_fault_record record_;

void faults_init(void) {
  memset(newest_, 0, sizeof(newest_));
  memset(kept_, 0, sizeof(kept_));
}

static uint32_t ring_size(uint32_t function) {
  return function == 0 ? NPU_FAULT_RECORDS : NPU_VF_FAULT_RECORDS;
}

static uint64_t place_of(uint32_t function, uint32_t sequence) {
  uint32_t first = function == 0 ? 0 : NPU_FAULT_RECORDS + (function - 1) * NPU_VF_FAULT_RECORDS;
  return NPU_MAP_DRAM + NPU_DRAM_FAULT_RECORDS +
         (first + sequence % ring_size(function)) * sizeof(struct npu_fault_record);
}

void faults_record(struct npu_fault_record* record) {
  uint32_t function = record->function;
  record->time_ns = aclint_time_ns();
  record->sequence = ++newest_[function];
  record_ = *record;
  enum dma_result result = dma_copy(0, place_of(function, record->sequence), dma_address(&record_), sizeof(record_));
  if (result != DMA_OK) {
    function_log(function, "fault record %u is lost: %s", record->sequence, dma_result_name(result));
    kept_[function] = 0;
  } else if (kept_[function] < ring_size(function)) {
    ++kept_[function];
  }
}

void faults_forget_function(uint32_t function) {
  newest_[function] = 0;
  kept_[function] = 0;
}

struct faults_copied faults_copy(uint32_t of, uint32_t after, uint32_t reader, uint64_t bus, uint32_t count) {
  struct faults_copied copied = {.ok = true, .sequence = after, .newest = newest_[of]};
  uint32_t wanted = newest_[of] - after;
  if (after > newest_[of]) wanted = newest_[of]; /* the card was reset since: from the start */
  uint32_t kept = wanted < kept_[of] ? wanted : kept_[of];
  copied.lost = wanted - kept;
  if (kept > count) kept = count;
  uint32_t first = newest_[of] - (wanted - copied.lost) + 1;
  for (; copied.count < kept; ++copied.count) {
    uint64_t to = host_to_card(bus + copied.count * sizeof(struct npu_fault_record));
    if (dma_copy(reader, to, place_of(of, first + copied.count), sizeof(struct npu_fault_record)) != DMA_OK) {
      copied.ok = false;
      return copied;
    }
    copied.sequence = first + copied.count;
  }
  return copied;
}
