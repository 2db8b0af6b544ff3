// SPDX-License-Identifier: Apache-2.0
// Reset vector. Brings hart 0 from reset to rom_main with a stack and zeroed variables; other harts sleep for good.

  .section .text.reset, "ax"
  .global rom_reset
  .type rom_reset, @function
rom_reset:
  csrw  mie, zero
  csrw  mstatus, zero
  csrr  t0, mhartid
  bnez  t0, park
  la    t0, rom_trap_stack_top
  csrw  mscratch, t0
  la    t0, trap_entry
  csrw  mtvec, t0
  la    sp, rom_stack_top
  la    t0, rom_bss_start
  la    t1, rom_bss_end
1:
  bgeu  t0, t1, 2f
  sd    zero, 0(t0)
  addi  t0, t0, 8
  j     1b
2:
  call  rom_main
  // rom_main returns the entry of a verified image. It gets the hart as after reset, and sees the new instructions.
  csrw  mie, zero
  csrci mstatus, 8
  mv    t0, a0
  csrr  a0, mhartid
  fence
  fence.i
  jr    t0
park:
  wfi
  j     park
  .size rom_reset, . - rom_reset
