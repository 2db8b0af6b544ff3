# SPDX-License-Identifier: Apache-2.0
# A mix like firmware's: ring handling with loads, stores, calls, compares, a multiply and byte copies. Never ends.
    .section .text
    .globl _start
_start:
    la      sp, stack_top
    la      s0, ring
    li      s1, 0
    li      s2, 64
outer:
    andi    a0, s1, 63
    slli    a0, a0, 5
    add     a0, a0, s0
    call    descriptor
    add     s3, s3, a0
    addi    s1, s1, 1
    bltu    s1, s2, outer
    li      s1, 0
    j       outer

descriptor:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    sd      s0, 0(sp)
    ld      a1, 0(a0)
    lw      a2, 8(a0)
    lwu     a3, 12(a0)
    addi    a1, a1, 1
    sd      a1, 0(a0)
    mul     a4, a2, a3
    xor     a4, a4, a1
    li      a5, 8
    addi    a6, a0, 16
    addi    a7, a0, 24
copy:
    lbu     t0, 0(a6)
    sb      t0, 0(a7)
    addi    a6, a6, 1
    addi    a7, a7, 1
    addi    a5, a5, -1
    bnez    a5, copy
    srli    a4, a4, 3
    sw      a4, 8(a0)
    mv      a0, a4
    ld      ra, 8(sp)
    ld      s0, 0(sp)
    addi    sp, sp, 16
    ret

    .section .data
    .balign 4096
ring:
    .fill   8192
    .fill   4096
stack_top:
    .dword  0
