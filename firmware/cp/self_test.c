// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/self_test.h"

#include <stdbool.h>
#include <string.h>

#include "firmware/abi/memory_map.h"
#include "firmware/abi/telemetry.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/cp_dma.h"
#include "firmware/lib/crypto.h"
#include "firmware/lib/dma.h"
#include "firmware/lib/mmio.h"
#include "firmware/lib/plic.h"
#include "firmware/lib/timer.h"
#include "firmware/lib/trng.h"

/* One word of each line of 64 bytes: all of it would take longer than a boot may. */
enum { kTcmStride = 64 };
enum { kAddressLanes = 16, kLoopWords = 32 };

static const uint64_t kArea = NPU_MAP_DRAM + NPU_DRAM_SELF_TEST;

/* Of this boot: a fault that one pattern does not see is met by another. */
static uint64_t seed_;

/* Differs in many bits from word to word. */
static uint64_t pattern(uint64_t address) {
  return (address ^ seed_) * 0x9e3779b97f4a7c15ull;
}

/* The health tests of the source at its start, and that words come. Its first words are the seed of the patterns. */
static bool test_trng(void) {
  uint32_t words[2];
  trng_start();
  enum trng_result result = trng_read(words, 2);
  trng_stop();
  seed_ = words[0] | (uint64_t)words[1] << 32;
  return result == TRNG_OK;
}

/* Test case 16 of "The Galois/Counter Mode of Operation" (McGrew, Viega), appendix B: AES-256. */
static bool test_crypto(void) {
  static const uint8_t key[32] = {0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f,
                                  0x94, 0x67, 0x30, 0x83, 0x08, 0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65,
                                  0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83, 0x08};
  static const uint8_t iv[CRYPTO_GCM_IV_BYTES] = {0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce,
                                                  0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88};
  static const uint8_t aad[20] = {0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xfe, 0xed,
                                  0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xab, 0xad, 0xda, 0xd2};
  static const uint8_t cipher[60] = {0x52, 0x2d, 0xc1, 0xf0, 0x99, 0x56, 0x7d, 0x07, 0xf4, 0x7f, 0x37, 0xa3,
                                     0x2a, 0x84, 0x42, 0x7d, 0x64, 0x3a, 0x8c, 0xdc, 0xbf, 0xe5, 0xc0, 0xc9,
                                     0x75, 0x98, 0xa2, 0xbd, 0x25, 0x55, 0xd1, 0xaa, 0x8c, 0xb0, 0x8e, 0x48,
                                     0x59, 0x0d, 0xbb, 0x3d, 0xa7, 0xb0, 0x8b, 0x10, 0x56, 0x82, 0x88, 0x38,
                                     0xc5, 0xf6, 0x1e, 0x63, 0x93, 0xba, 0x7a, 0x0a, 0xbc, 0xc9, 0xf6, 0x62};
  static const uint8_t tag[CRYPTO_GCM_TAG_BYTES] = {0x76, 0xfc, 0x6e, 0xce, 0x0f, 0x4e, 0x17, 0x68,
                                                    0xcd, 0xdf, 0x88, 0x53, 0xbb, 0x2d, 0x55, 0x1b};
  static uint8_t plain[sizeof(cipher)], again[sizeof(cipher)]; /* static: the crypto block uses them */
  struct crypto_gcm message = {
      key, sizeof(key), iv, dma_address(aad), sizeof(aad), dma_address(cipher), dma_address(plain), sizeof(cipher)};
  if (crypto_gcm_decrypt(&message, tag) != CRYPTO_VALID) return false;
  message.source = dma_address(plain);
  message.destination = dma_address(again);
  uint8_t made[CRYPTO_GCM_TAG_BYTES];
  if (!crypto_gcm_encrypt(&message, made)) return false;
  return memcmp(again, cipher, sizeof(cipher)) == 0 && memcmp(made, tag, sizeof(tag)) == 0;
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
  if (!test_trng()) failed |= NPU_SELF_TEST_TRNG;
  if (!test_tcm(tcm_begin, tcm_end)) failed |= NPU_SELF_TEST_TCM;
  if (!test_dram()) failed |= NPU_SELF_TEST_DRAM;
  if (!test_interrupts()) failed |= NPU_SELF_TEST_INTERRUPTS;
  if (!test_dma()) failed |= NPU_SELF_TEST_DMA;
  if (!test_crypto()) failed |= NPU_SELF_TEST_CRYPTO;
  return failed;
}
