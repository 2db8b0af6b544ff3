// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/self_test.h"

#include <stdbool.h>

#include "firmware/abi/memory_map.h"
#include "firmware/abi/telemetry.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/cp_dma.h"
#include "firmware/lib/dma.h"
#include "firmware/lib/mmio.h"
#include "firmware/lib/plic.h"
#include "firmware/lib/timer.h"

/* One word of each line of 64 bytes: all of it would take longer than a boot may. */
enum { kTcmStride = 64 };
enum { kAddressLanes = 16, kLoopWords = 32 };

static const uint64_t kArea = NPU_MAP_DRAM + NPU_DRAM_SELF_TEST;

/* Differs in many bits from word to word. */
static uint64_t pattern(uint64_t address) {
  return address * 0x9e3779b97f4a7c15ull;
}

static bool test_tcm(uint64_t begin, uint64_t end) {
  bool ok = true;
  for (uint64_t invert = 0;; invert = ~invert) {
    for (uint64_t at = begin; at + 8 <= end; at += kTcmStride) mmio_write64(at, pattern(at) ^ invert);
    for (uint64_t at = begin; at + 8 <= end; at += kTcmStride) ok &= mmio_read64(at) == (pattern(at) ^ invert);
    if (invert != 0) return ok;
  }
}

static bool test_dram(void) {
  bool ok = true;
  for (unsigned bit = 0; bit < 64; ++bit) {
    mmio_write64(kArea, 1ull << bit);
    ok &= mmio_read64(kArea) == 1ull << bit;
  }
  mmio_write64(kArea, 0);
  for (unsigned lane = 3; lane < kAddressLanes; ++lane) mmio_write64(kArea + (1ull << lane), lane);
  ok &= mmio_read64(kArea) == 0;
  for (unsigned lane = 3; lane < kAddressLanes; ++lane) ok &= mmio_read64(kArea + (1ull << lane)) == lane;
  return ok;
}

/* Interrupts are only looked for, never taken, so every other source is switched off meanwhile. */
static bool test_interrupts(void) {
  uint32_t enabled = plic_enabled();
  plic_enable(PLIC_SOURCE(NPU_IRQ_TIMER));
  bool ok = plic_claim() == 0;
  timer_start_once(0, 100);
  uint64_t deadline = aclint_time_ns() + 10 * ACLINT_NS_PER_US;
  uint32_t source = 0;
  while (source == 0 && aclint_time_ns() < deadline) source = plic_claim();
  ok &= source == NPU_IRQ_TIMER && timer_take_expired(0);
  if (source != 0) plic_complete(source);
  ok &= plic_claim() == 0;
  timer_stop(0);
  plic_enable(enabled);
  return ok;
}

/* TCM to DRAM and back along a list of two descriptors. */
static bool test_dma(void) {
  static _Alignas(NPU_CP_DMA_ALIGNMENT) uint64_t from[kLoopWords], to[kLoopWords];
  static _Alignas(NPU_CP_DMA_ALIGNMENT) struct npu_cp_dma_descriptor list[2];
  for (unsigned i = 0; i < kLoopWords; ++i) {
    from[i] = pattern(i + 1);
    to[i] = 0;
  }
  list[0] = (struct npu_cp_dma_descriptor){
      .source = dma_address(from), .destination = kArea, .bytes = sizeof(from), .next = dma_address(&list[1])};
  list[1] = (struct npu_cp_dma_descriptor){.source = kArea, .destination = dma_address(to), .bytes = sizeof(to)};
  if (!cp_dma_start(dma_address(list)) || !cp_dma_finish()) return false;
  bool ok = true;
  for (unsigned i = 0; i < kLoopWords; ++i) ok &= *(volatile uint64_t*)&to[i] == pattern(i + 1);
  return ok;
}

uint32_t self_test(uint64_t tcm_begin, uint64_t tcm_end) {
  uint32_t failed = 0;
  if (!test_tcm(tcm_begin, tcm_end)) failed |= NPU_SELF_TEST_TCM;
  if (!test_dram()) failed |= NPU_SELF_TEST_DRAM;
  if (!test_interrupts()) failed |= NPU_SELF_TEST_INTERRUPTS;
  if (!test_dma()) failed |= NPU_SELF_TEST_DMA;
  return failed;
}
