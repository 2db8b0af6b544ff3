// SPDX-License-Identifier: Apache-2.0
// Entry from the boot ROM (or a debugger that loaded the ELF file): interrupts off, hart 0. Nothing else is assumed.

  .section .text.start, "ax"
  .global cp_start
  .type cp_start, @function
cp_start:
  csrw  mie, zero
  csrw  mstatus, zero
  csrr  t0, mhartid
  bnez  t0, park
  la    t0, cp_trap_stack_top
  csrw  mscratch, t0
  la    t0, trap_entry
  csrw  mtvec, t0
  la    sp, cp_stack_top
  la    t0, cp_bss_start
  la    t1, cp_bss_end
1:
  bgeu  t0, t1, 2f
  sd    zero, 0(t0)
  addi  t0, t0, 8
  j     1b
2:
  call  pmp_protect
  call  cp_main
park:
  wfi
  j     park
  .size cp_start, . - cp_start
