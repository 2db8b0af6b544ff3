# SPDX-License-Identifier: Apache-2.0
# RV64C executed: every instruction of the extension that has no floating point.
#include "self_check.h"
    BEGIN
    .option rvc
    la   sp, stack
    c.li a0, -32
    EXPECT(1, a0, -32)
    c.addi a0, 31
    EXPECT(2, a0, -1)
    c.lui a0, 0xfffe0
    EXPECT(3, a0, 0xfffffffffffe0000)
    c.lui a0, 31
    EXPECT(4, a0, 0x1f000)
    li   a0, 0x7fffffff
    c.addiw a0, 1
    EXPECT(5, a0, 0xffffffff80000000)
    mv   s1, sp
    c.addi16sp sp, -512
    sub  a0, s1, sp
    EXPECT(6, a0, 512)
    c.addi16sp sp, 496
    c.addi16sp sp, 16
    sub  a0, s1, sp
    EXPECT(7, a0, 0)
    c.addi4spn a0, sp, 1020
    sub  a0, a0, sp
    EXPECT(8, a0, 1020)
    c.addi4spn a0, sp, 4
    sub  a0, a0, sp
    EXPECT(9, a0, 4)
    li   a0, 1
    c.slli a0, 63
    EXPECT(10, a0, 0x8000000000000000)
    c.srai a0, 62
    EXPECT(11, a0, -2)
    c.srli a0, 33
    EXPECT(12, a0, 0x7fffffff)
    li   a0, 0xff
    c.andi a0, -16
    EXPECT(13, a0, 0xf0)
    li   a1, 0x3c
    c.and a1, a0
    EXPECT(14, a1, 0x30)
    c.or a1, a0
    EXPECT(15, a1, 0xf0)
    li   a2, 0xff
    c.xor a2, a0
    EXPECT(16, a2, 0x0f)
    c.sub a2, a0
    EXPECT(17, a2, -225)
    li   a3, 0x80000000
    li   a4, 1
    c.subw a3, a4
    EXPECT(18, a3, 0x7fffffff)
    c.addw a3, a4
    EXPECT(19, a3, 0xffffffff80000000)
    c.mv s2, a3
    EXPECT(20, s2, 0xffffffff80000000)
    c.add s2, a4
    EXPECT(21, s2, 0xffffffff80000001)
    c.nop
    # loads and stores at both ends of their offsets
    li   a0, 0x8123456789abcdef
    mv   s0, sp
    c.sd a0, 248(s0)
    c.ld a1, 248(s0)
    EXPECT(30, a1, 0x8123456789abcdef)
    c.sw a0, 124(s0)
    c.lw a1, 124(s0)
    EXPECT(31, a1, 0xffffffff89abcdef)
    c.sdsp a0, 504(sp)
    c.ldsp t0, 504(sp)
    EXPECT(32, t0, 0x8123456789abcdef)
    c.swsp a0, 252(sp)
    c.lwsp t0, 252(sp)
    EXPECT(33, t0, 0xffffffff89abcdef)
    c.sw a0, 0(s0)
    c.ldsp t0, 0(sp)
    EXPECT(34, t0, 0x89abcdef)
    # jumps
    li   gp, 40
    c.j  1f
    j    fail
1:  li   a0, 0
    c.beqz a0, 1f
    j    fail
1:  c.bnez a0, 2f
    c.j  3f
2:  j    fail
3:  li   a0, 1
    c.bnez a0, 1f
    j    fail
1:  la   a0, 1f
    .balign 4
2:  c.jr a0
    c.nop
    j    fail
1:  la   a0, 1f
    .balign 4
2:  c.jalr a0
    c.nop
    j    fail
1:  la   a1, 2b
    sub  a0, ra, a1
    EXPECT(41, a0, 2)
    # a backward c.j and a 4-byte instruction across a 4-byte boundary
    li   a0, 3
    li   a1, 0
    c.j  2f
    .balign 4
    c.nop
1:  .option norvc
    addi a1, a1, 2
    .option rvc
    c.addi a0, -1
2:  c.bnez a0, 1b
    EXPECT(42, a1, 6)
    END
    .data
    .balign 16
stack: .fill 2048, 1, 0
