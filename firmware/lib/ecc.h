// SPDX-License-Identifier: Apache-2.0
/* The error collector: what the ECC of the card's memories has found since the card's reset. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/ecc.h"

/* Of one memory (enum npu_ecc_source). Addresses are card physical ones of 64-bit words, 0 when there was none. */
struct ecc_record {
  uint32_t corrected, uncorrected;
  uint64_t first_corrected, last_corrected;
  uint64_t first_uncorrected, last_uncorrected;
};

/* Forgets what was counted; every error interrupts. */
void ecc_init(void);

/* Corrected errors of a memory that make one interrupt, at least 1. Uncorrectable ones always interrupt. */
void ecc_set_threshold(uint32_t errors);

struct ecc_event {
  uint32_t source; /* enum npu_ecc_source */
  bool uncorrected;
  struct ecc_record record;
};

/* An event that waits, uncorrectable ones first; false: none. Takes it. */
bool ecc_take_event(struct ecc_event* event);

/* Counts and addresses of `source` < NPU_ECC_SOURCES. */
struct ecc_record ecc_read(uint32_t source);

/* For self-tests: flips `bit` (0..71) of the word at card physical `address`, and `second` unless it is ECC_NO_BIT. */
#define ECC_NO_BIT 0xffu
void ecc_inject(uint64_t address, uint32_t bit, uint32_t second);

/* "DRAM", "TCM", "shared memory", "scratchpad" (of the engine source - NPU_ECC_SCRATCHPAD), or "unknown memory". */
const char* ecc_source_name(uint32_t source);
