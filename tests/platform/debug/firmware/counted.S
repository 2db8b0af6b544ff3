// SPDX-License-Identifier: Apache-2.0
// Counted by hand: how often each line is executed stands behind it.
  .option norvc
  .text
  .global _start
  .type _start, @function
_start:
  li    s0, 3            // 1
again:
  jal   ra, twice        // 3
  addi  s0, s0, -1       // 3
  bnez  s0, again        // 3
  j     finish           // 1
  .size _start, . - _start

  .type twice, @function
twice:
  mv    s1, ra           // 3
  jal   ra, leaf         // 3
  jal   t0, save         // 3
  jal   ra, leaf         // 3
  mv    ra, s1           // 3
  ret                    // 3
  .size twice, . - twice

  .type leaf, @function
leaf:
  nop                    // 6
  ret                    // 6
  .size leaf, . - leaf

  .type save, @function
save:
  jr    t0               // 3
  .size save, . - save

  .type never, @function
never:
  nop                    // 0
  ret                    // 0
  .size never, . - never

  .type finish, @function
finish:
  ecall                  // 1
  wfi                    // 1
  j     finish           // 0
  .size finish, . - finish

  .type handler, @function
  .global handler
handler:
  csrr  t1, mepc         // 1
  addi  t1, t1, 4        // 1
  csrw  mepc, t1         // 1
  mret                   // 1
  .size handler, . - handler
