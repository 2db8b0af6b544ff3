// SPDX-License-Identifier: Apache-2.0
// What test_gdb.py debugs on all harts: each counts rounds of its own; hart N adds N + 1 to its sum every round.
#include <stdint.h>

struct counter {
  uint64_t rounds;
  uint32_t hart;
  uint32_t sum;
};

struct counter counters[4];

void hart_main(uint64_t hart);

__attribute__((noinline)) static uint32_t add(uint32_t sum, uint32_t hart) {
  return sum + hart + 1;
}

__attribute__((noinline)) static void count(struct counter* counter) {
  counter->sum = add(counter->sum, counter->hart);
  ++counter->rounds;
}

void hart_main(uint64_t hart) {
  counters[hart].hart = (uint32_t)hart;
  for (;;) count(&counters[hart]);
}
