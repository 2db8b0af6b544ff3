// SPDX-License-Identifier: Apache-2.0
// Reset vector. Brings hart 0 from reset to rom_main with a stack and zeroed variables; other harts sleep for good.

  // Registers of the ECC collector; main.c checks that they are right.
  .equ ECC, 0x1000c000
  .equ CHECK, 0x24
  .equ INIT, 0x28
  .equ TCM_SOURCE, 1 << 1
  .equ INIT_POLLS, 1 << 16  // of at least 50 ns each on the bus

  .section .text.reset, "ax"
  .global rom_reset
  .type rom_reset, @function
rom_reset:
  csrw  mie, zero
  csrw  mstatus, zero
  csrr  t0, mhartid
  bnez  t0, park
  // After power-on the TCM holds no valid code: nothing may be read there before all of it was written. With the code
  // switched on, its own hardware writes it (131 us). Bounded: a block that never ends shows as errors of the memory.
  li    t0, ECC
  li    t1, TCM_SOURCE
  lw    t2, CHECK(t0)
  or    t2, t2, t1
  sw    t2, CHECK(t0)
  sw    t1, INIT(t0)
  li    t3, INIT_POLLS
1:
  lw    t2, INIT(t0)
  and   t2, t2, t1
  beqz  t2, 2f
  addi  t3, t3, -1
  bnez  t3, 1b
2:
  la    t0, rom_trap_stack_top
  csrw  mscratch, t0
  la    t0, trap_entry
  csrw  mtvec, t0
  la    sp, rom_stack_top
  la    t0, rom_bss_start
  la    t1, rom_bss_end
3:
  bgeu  t0, t1, 4f
  sd    zero, 0(t0)
  addi  t0, t0, 8
  j     3b
4:
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
