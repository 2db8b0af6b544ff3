// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/trng.h"

#include <string.h>

#include "firmware/abi/memory_map.h"
#include "firmware/lib/aclint.h"
#include "firmware/lib/mmio.h"
#include "npu/registers/trng.h"

/* The word before, and whether there is one since trng_start. */
static uint32_t last_;
static bool have_last_;

void trng_start(void) {
  have_last_ = false;
  mmio_write32(NPU_MAP_TRNG + TRNG_CONTROL, 0); /* a failure is forgotten by the change from 0 to 1 */
  mmio_write32(NPU_MAP_TRNG + TRNG_CONTROL, TRNG_CONTROL_ENABLE_MASK);
}

void trng_stop(void) {
  mmio_write32(NPU_MAP_TRNG + TRNG_CONTROL, 0);
}

static enum trng_result read_word(uint32_t* word) {
  const uint32_t failed = TRNG_STATUS_REPETITION_MASK | TRNG_STATUS_PROPORTION_MASK;
  uint64_t deadline = aclint_time_ns() + TRNG_TIMEOUT_NS;
  uint32_t status;
  while (!((status = mmio_read32(NPU_MAP_TRNG + TRNG_STATUS)) & TRNG_STATUS_READY_MASK)) {
    if (status & failed) return TRNG_UNHEALTHY;
    if (aclint_time_ns() >= deadline) return TRNG_TIMED_OUT;
  }
  *word = mmio_read32(NPU_MAP_TRNG + TRNG_DATA);
  /* Reading makes new samples, so the word itself may be the one that fails. */
  if (mmio_read32(NPU_MAP_TRNG + TRNG_STATUS) & failed) return TRNG_UNHEALTHY;
  /* A repetition count test on whole words: cutoff 1 + ceil(20 / 32) = 2 (SP 800-90B, 4.4.1). */
  if (have_last_ && *word == last_) return TRNG_UNHEALTHY;
  last_ = *word;
  have_last_ = true;
  return TRNG_OK;
}

enum trng_result trng_read(uint32_t* out, uint32_t words) {
  for (uint32_t i = 0; i < words; ++i) {
    enum trng_result result = read_word(&out[i]);
    if (result == TRNG_OK) continue;
    memset(out, 0, words * sizeof(*out));
    return result;
  }
  return TRNG_OK;
}
