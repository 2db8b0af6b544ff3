// SPDX-License-Identifier: Apache-2.0
// Every hart gets a stack of its own and runs hart_main.
  .section .text.start, "ax"
  .global _start
  .type _start, @function
_start:
  csrr  a0, mhartid
  la    sp, stacks
  addi  t0, a0, 1
  slli  t0, t0, 12
  add   sp, sp, t0
  call  hart_main
1:
  wfi
  j     1b
  .size _start, . - _start

  .bss
  .balign 16
stacks:
  .space 4 * 4096
