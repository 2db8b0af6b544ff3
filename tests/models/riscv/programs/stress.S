# SPDX-License-Identifier: Apache-2.0
# Run by every hart of a cluster at once: increments by LR/SC and by AMO, a lock around a plain counter, and an
# interrupt to the next hart that is waited for, each ROUNDS times. Counts are exact in the end or something was lost.
#define ROUNDS 2000
#define MSIP 0x02000000
    .section .text
    .globl _start
_start:
    la   t0, handler
    csrw mtvec, t0
    li   t0, 8
    csrw mie, t0
    csrsi mstatus, 8
    csrr s0, mhartid
    la   s1, shared
    la   s2, received
    # the next of four harts, its interrupt register and its counter
    addi s3, s0, 1
    andi s3, s3, 3
    slli t0, s3, 2
    li   s4, MSIP
    add  s4, s4, t0
    slli t0, s3, 3
    add  s5, s2, t0
    li   s6, 0
    li   s7, ROUNDS
round:
1:  lr.d t0, (s1)                # shared[0]: LR/SC
    addi t0, t0, 1
    sc.d t1, t0, (s1)
    bnez t1, 1b
    addi t2, s1, 64              # shared[8]: AMO
    li   t0, 1
    amoadd.d zero, t0, (t2)
    addi t2, s1, 128             # shared[16]: lock, shared[24]: what it protects
2:  amoswap.w.aq t1, t0, (t2)
    bnez t1, 2b
    ld   t1, 192(s1)
    addi t1, t1, 1
    sd   t1, 192(s1)
    amoswap.w.rl zero, zero, (t2)
    sw   t0, 0(s4)               # interrupt the next hart, wait until it has counted
    addi s6, s6, 1
3:  ld   t1, 0(s5)
    bltu t1, s6, 3b
    # A stack of two nodes, popped and pushed by LR/SC: the head comes back to its old value all the time.
    addi t2, s1, 256
4:  lr.d t0, (t2)
    beqz t0, 5f
    ld   t1, 0(t0)
    sc.d t3, t1, (t2)
    bnez t3, 4b
    ld   t1, 8(t0)               # the node is ours: only one hart may be here
    addi t1, t1, 1
    sd   t1, 8(t0)
    li   t4, 1
    addi t5, t0, 16
    amoadd.d t4, t4, (t5)        # owners
    beqz t4, 6f
    li   t4, 1
    sd   t4, 320(s1)             # two owners: failure
6:  li   t4, -1
    amoadd.d zero, t4, (t5)
7:  lr.d t1, (t2)
    sd   t1, 0(t0)
    sc.d t3, t0, (t2)
    bnez t3, 7b
5:  bltu s6, s7, round
    li   t0, 1
    addi t2, s1, 384
    amoadd.d zero, t0, (t2)      # done
8:  wfi
    j    8b

    .balign 4
handler:
    csrw mscratch, t6
    csrr t6, mhartid
    slli t6, t6, 2
    addi sp, t6, 0
    li   t6, MSIP
    add  t6, t6, sp
    sw   zero, 0(t6)
    slli sp, sp, 1
    la   t6, received
    add  t6, t6, sp
    ld   sp, 0(t6)
    addi sp, sp, 1
    sd   sp, 0(t6)
    csrr t6, mscratch
    mret

    .data
    .balign 64
    .globl shared
shared:
    .fill 32, 8, 0
    .dword node_a                # shared + 256: head of the stack
    .fill 63, 8, 0
    .globl received
received:
    .fill 4, 8, 0
    .balign 64
node_a: .dword node_b, 0, 0
    .balign 64
node_b: .dword 0, 0, 0
    .section .tohost, "aw", @progbits
    .globl tohost
tohost: .dword 0
