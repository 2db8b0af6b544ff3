// SPDX-License-Identifier: Apache-2.0
/* Test of the hardware that firmware cannot do without, at boot, in less than a millisecond. */
#pragma once

#include <stdint.h>

/* Tests the TCM in [tcm_begin, tcm_end), which nobody uses, by sample; the DRAM's data and address lanes; the way of an
 * interrupt; the firmware's DMA. Returns NPU_SELF_TEST_* (telemetry.h) that failed. */
uint32_t self_test(uint64_t tcm_begin, uint64_t tcm_end);
