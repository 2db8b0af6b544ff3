// SPDX-License-Identifier: Apache-2.0
/* What the memories' ECC and the device MMU report, on the console and in counters. Jobs learn of it by their own
 * faults. */
#pragma once

#include <stdint.h>

#include "firmware/lib/mmu.h"

struct memory_fault_counts {
  uint64_t corrected, uncorrected; /* ECC interrupts, not errors: the collector counts those */
  uint64_t translation;            /* accesses that the MMU refused */
};

void memory_faults_init(void);
void memory_faults_serve_ecc(void);
void memory_faults_serve_mmu(void);

const struct memory_fault_counts* memory_faults_counts(void);
/* The last access that the MMU refused; null if it has refused none. */
const struct mmu_fault* memory_faults_last_translation(void);
