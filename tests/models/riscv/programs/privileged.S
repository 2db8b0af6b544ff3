# SPDX-License-Identifier: Apache-2.0
# Each synchronous cause from user and machine mode, seen by a handler: mcause in s2, mtval in s3, mepc in s4.
#include "self_check.h"
    BEGIN
    la   t0, handler
    csrw mtvec, t0
    li   t0, -1
    csrw pmpaddr0, t0
    li   t0, 0x1f
    csrw pmpcfg0, t0
#define TRAPS(number, cause, value)      \
    EXPECT(number, s2, cause)            \
    li   gp, number + 50;                \
    li   t6, value;                      \
    bne  s3, t6, fail;
    ecall
    TRAPS(1, 11, 0)
    .insn 4, 0x7ffff00b
    TRAPS(2, 2, 0x7ffff00b)
    li   a0, 0x1001
    lh   a1, 0(a0)
    TRAPS(3, 4, 0x1001)
    sh   a1, 0(a0)
    TRAPS(4, 6, 0x1001)
    li   a0, 0x1000
    lw   a1, 0(a0)
    TRAPS(5, 5, 0x1000)
    sw   a1, 0(a0)
    TRAPS(6, 7, 0x1000)
    la   s5, after_fetch
    jr   a0
after_fetch:
    TRAPS(7, 1, 0x1000)
    la   a0, breakpoint
breakpoint:
    ebreak
    EXPECT(8, s2, 3)
    bne  s3, a0, fail
    # down to user mode
    la   t0, user
    csrw mepc, t0
    li   t0, 0x1800
    csrc mstatus, t0
    mret
user:
    ecall
    TRAPS(9, 8, 0)
    csrr a1, mscratch
    TRAPS(10, 2, 0x340025f3)
    mret
    TRAPS(11, 2, 0x30200073)
    END

    .balign 4
handler:
    csrr s2, mcause
    csrr s3, mtval
    csrr s4, mepc
    li   t0, 1
    beq  s2, t0, elsewhere
    lhu  t0, 0(s4)
    andi t0, t0, 3
    addi t0, t0, -3
    addi s4, s4, 2
    bnez t0, 1f
    addi s4, s4, 2
1:  csrw mepc, s4
    mret
elsewhere:
    csrw mepc, s5
    mret
