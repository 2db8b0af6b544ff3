# SPDX-License-Identifier: Apache-2.0
# RV64A. AMOs give the old value, sign-extended for words, and touch only their bytes.
#include "self_check.h"
    BEGIN
    la   s0, cell
#define AMO_CASE(number, instruction, size, memory, operand, result)       \
    li a0, memory; s##size a0, 0(s0); li a1, operand; instruction a2, a1, (s0); \
    EXPECT(number, a2, memory)                                             \
    l##size a2, 0(s0);                                                     \
    EXPECT(number + 100, a2, result)
    AMO_CASE(1, amoswap.d, d, 0x1111111122222222, 5, 5)
    AMO_CASE(2, amoadd.d, d, 0xffffffffffffffff, 2, 1)
    AMO_CASE(3, amoxor.d, d, 0xf0f0, 0x0ff0, 0xff00)
    AMO_CASE(4, amoand.d, d, 0xf0f0, 0x0ff0, 0x00f0)
    AMO_CASE(5, amoor.d, d, 0xf0f0, 0x0ff0, 0xfff0)
    AMO_CASE(6, amomin.d, d, 1, -1, -1)
    AMO_CASE(7, amomax.d, d, 1, -1, 1)
    AMO_CASE(8, amominu.d, d, 1, -1, 1)
    AMO_CASE(9, amomaxu.d, d, 1, -1, -1)
    AMO_CASE(11, amoswap.w, w, -2, 5, 5)
    AMO_CASE(12, amoadd.w, w, 0x7fffffff, 1, 0xffffffff80000000)
    AMO_CASE(13, amoxor.w, w, -1, 1, -2)
    AMO_CASE(14, amoand.w, w, -1, 0x7f, 0x7f)
    AMO_CASE(15, amoor.w, w, 0x70, 0x0f, 0x7f)
    AMO_CASE(16, amomin.w, w, 1, 0x00000000ffffffff, -1)
    AMO_CASE(17, amomax.w, w, 1, 0x00000000ffffffff, 1)
    AMO_CASE(18, amominu.w, w, 1, 0x1234567800000002, 1)
    AMO_CASE(19, amomaxu.w, w, 1, -1, -1)
    # the word's neighbour is left alone
    li   a0, 0x1111111122222222
    sd   a0, 0(s0)
    li   a1, 1
    amoadd.w a2, a1, (s0)
    ld   a0, 0(s0)
    EXPECT(20, a0, 0x1111111122222223)
    # the base register may be the destination
    mv   s1, s0
    amoadd.w s1, a1, (s1)
    EXPECT(21, s1, 0x22222223)

    # LR/SC: success once, then failure without a reservation
    li   a0, 7
    sd   a0, 0(s0)
    lr.d a1, (s0)
    EXPECT(30, a1, 7)
    li   a2, 9
    sc.d a3, a2, (s0)
    EXPECT(31, a3, 0)
    ld   a0, 0(s0)
    EXPECT(32, a0, 9)
    li   a2, 10
    sc.d a3, a2, (s0)
    EXPECT(33, a3, 1)
    ld   a0, 0(s0)
    EXPECT(34, a0, 9)
    # a reservation elsewhere does not count
    addi s1, s0, 8
    lr.d a1, (s1)
    sc.d a3, a2, (s0)
    EXPECT(35, a3, 1)
    li   a0, 0x80000000
    sw   a0, 0(s0)
    lr.w a1, (s0)
    EXPECT(36, a1, 0xffffffff80000000)
    li   a2, 3
    sc.w a3, a2, (s0)
    EXPECT(37, a3, 0)
    lw   a0, 0(s0)
    EXPECT(38, a0, 3)
    # an atomic increment as compilers write it
    li   s2, 100
1:  lr.w a1, (s0)
    addi a1, a1, 1
    sc.w a3, a1, (s0)
    bnez a3, 1b
    addi s2, s2, -1
    bnez s2, 1b
    lw   a0, 0(s0)
    EXPECT(39, a0, 103)
    END
    .data
    .balign 64
cell: .dword 0, 0
