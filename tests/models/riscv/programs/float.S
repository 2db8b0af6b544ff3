# SPDX-License-Identifier: Apache-2.0
# F and D end to end: loads, arithmetic, compressed forms and flags; values are exact or follow from the format.
#include "self_check.h"
    BEGIN
    li   a0, 0x2000
    csrs mstatus, a0
#define DOUBLE_CASE(number, instruction, expected, left, right, flags) \
    li a0, left; fmv.d.x fa0, a0; li a0, right; fmv.d.x fa1, a0; csrw fflags, zero; \
    instruction fa2, fa0, fa1; fmv.x.d a2, fa2; EXPECT(number, a2, expected)  \
    csrr a2, fflags; EXPECT(number + 100, a2, flags)
    DOUBLE_CASE(1, fadd.d, 0x4008000000000000, 0x3ff0000000000000, 0x4000000000000000, 0)
    DOUBLE_CASE(2, fsub.d, 0xbff0000000000000, 0x3ff0000000000000, 0x4000000000000000, 0)
    DOUBLE_CASE(3, fmul.d, 0x4018000000000000, 0x4000000000000000, 0x4008000000000000, 0)
    DOUBLE_CASE(4, fdiv.d, 0x3fd5555555555555, 0x3ff0000000000000, 0x4008000000000000, 1)
    DOUBLE_CASE(5, fdiv.d, 0x7ff0000000000000, 0x3ff0000000000000, 0, 8)
    DOUBLE_CASE(6, fmul.d, 0x7ff0000000000000, 0x7fefffffffffffff, 0x4000000000000000, 5)
    DOUBLE_CASE(7, fmul.d, 0, 0x0010000000000000, 0x0010000000000000, 3)
    DOUBLE_CASE(8, fmin.d, 0x8000000000000000, 0, 0x8000000000000000, 0)
    DOUBLE_CASE(9, fadd.d, 0x7ff8000000000000, 0x7ff0000000000001, 0, 16)
    # Compressed loads and stores, relative to sp and to a register
    la   sp, cell
    mv   s0, sp
    fld  fa0, 8(sp)
    fld  fa1, 8(s0)
    fmv.x.d a2, fa0
    EXPECT(20, a2, 0x4059000000000000)
    fsd  fa1, 0(s0)
    ld   a2, 0(sp)
    EXPECT(21, a2, 0x4059000000000000)
    fcvt.s.d fa0, fa0
    fsw  fa0, 16(sp)
    lwu  a2, 16(sp)
    EXPECT(22, a2, 0x42c80000)
    fcvt.w.s a2, fa0
    EXPECT(23, a2, 100)
    fmadd.d fa3, fa1, fa1, fa1
    fcvt.l.d a2, fa3
    EXPECT(24, a2, 10100)
    fsqrt.d fa3, fa1
    fcvt.lu.d a2, fa3
    EXPECT(25, a2, 10)
    END
    .data
    .balign 64
cell: .dword 0, 0x4059000000000000, 0
