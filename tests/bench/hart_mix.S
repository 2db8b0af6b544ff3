# SPDX-License-Identifier: Apache-2.0
# Start and trap handler of hart_mix.c. The timer interrupt is turned off at its source, a register at 0x10000000 of the
# benchmark's board; other boards never raise it.
    .section .text.start
    .globl _start
_start:
    la      sp, stack_top
    la      t0, handler
    csrw    mtvec, t0
    li      t0, 0x80
    csrw    mie, t0
    csrsi   mstatus, 8
    call    main

    .balign 4
handler:
    addi    sp, sp, -16
    sd      t0, 0(sp)
    sd      t1, 8(sp)
    li      t0, 0x10000000
    sw      zero, 0(t0)
    la      t0, interrupts
    ld      t1, 0(t0)
    addi    t1, t1, 1
    sd      t1, 0(t0)
    ld      t0, 0(sp)
    ld      t1, 8(sp)
    addi    sp, sp, 16
    mret

    .section .bss
    .balign 16
    .fill   4096
stack_top:
