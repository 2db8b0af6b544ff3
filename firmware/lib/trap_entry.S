// SPDX-License-Identifier: Apache-2.0
// Exception entry of ROM and firmware. mscratch holds the top of the trap stack, which is separate from the stack of
// the program so that a stack overflow can still be reported. Layout of the frame: struct trap_frame in trap.h.

#define FRAME_BYTES (36 * 8)  // 35 used; the stack stays 16-byte aligned

  .section .text.trap_entry, "ax"
  .global trap_entry
  .type trap_entry, @function
  .align 2
trap_entry:
  csrrw sp, mscratch, sp
  addi  sp, sp, -FRAME_BYTES
  sd    x1, 0*8(sp)
  // x2 (sp) follows below from mscratch
  .irp n, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
  sd    x\n, (\n-1)*8(sp)
  .endr
  csrr  t0, mscratch
  sd    t0, 1*8(sp)
  csrr  t0, mepc
  sd    t0, 31*8(sp)
  csrr  t0, mcause
  sd    t0, 32*8(sp)
  csrr  t0, mtval
  sd    t0, 33*8(sp)
  csrr  t0, mstatus
  sd    t0, 34*8(sp)
  // A further exception while this one is reported must not begin anew, but should not lose the rest either.
  la    t0, trap_again
  csrw  mtvec, t0
  csrw  mscratch, sp
  mv    a0, sp
  call  trap_report
  j     trap_halt
  .size trap_entry, . - trap_entry

  // Below the first frame, which stays as it is. The report ends after a bounded number of these.
  .type trap_again, @function
  .align 2
trap_again:
  csrr  sp, mscratch
  call  trap_report_again
  .size trap_again, . - trap_again

  .type trap_halt, @function
  .align 2
trap_halt:
  csrw  mie, zero
1:
  wfi
  j     1b
  .size trap_halt, . - trap_halt
