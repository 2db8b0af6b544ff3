/* SPDX-License-Identifier: Apache-2.0 */
/* What the QEMU plugin writes and the comparison reads: for each instruction, before it is executed, its pc and the
 * registers that have changed since the record before. */
#pragma once

#include <stdint.h>

enum {
  RECORD_X = 0,  /* x0..x31 */
  RECORD_F = 32, /* f0..f31 */
  RECORD_FCSR = 64,
  RECORD_REGISTERS = 65,
};

struct record_header {
  uint64_t pc;
  uint64_t changes; /* this many struct record_change follow */
};

struct record_change {
  uint64_t index;
  uint64_t value;
};
