# SPDX-License-Identifier: Apache-2.0
# RV64I: computation, branches, loads and stores (Unprivileged ISA, chapters "RV32I" and "RV64I").
#include "self_check.h"
    .option norvc
    BEGIN
    # wrap-around and comparison
    REGISTER_CASE(1, add, 0x8000000000000000, 0x7fffffffffffffff, 1)
    REGISTER_CASE(2, add, 0, -1, 1)
    REGISTER_CASE(3, sub, 0x7fffffffffffffff, 0x8000000000000000, 1)
    REGISTER_CASE(4, sub, -1, 0, 1)
    REGISTER_CASE(5, slt, 1, -1, 0)
    REGISTER_CASE(6, slt, 0, 0, -1)
    REGISTER_CASE(7, slt, 1, 0x8000000000000000, 0x7fffffffffffffff)
    REGISTER_CASE(8, sltu, 0, -1, 0)
    REGISTER_CASE(9, sltu, 1, 0, -1)
    REGISTER_CASE(10, sltu, 0, 5, 5)
    REGISTER_CASE(11, xor, 0x0ff00ff00ff00ff0, 0x0f0f0f0f0f0f0f0f, 0x00ff00ff00ff00ff)
    REGISTER_CASE(12, or, 0xffff, 0xff00, 0x00ff)
    REGISTER_CASE(13, and, 0x0f00, 0xff00, 0x0ff0)
    # shifts: 6 bits of the amount count, 5 for words
    REGISTER_CASE(14, sll, 2, 1, 65)
    REGISTER_CASE(15, sll, 0x8000000000000000, 1, 63)
    REGISTER_CASE(16, srl, 1, 0x8000000000000000, 63)
    REGISTER_CASE(17, sra, -1, 0x8000000000000000, 63)
    REGISTER_CASE(18, sra, 0x4000000000000000, 0x4000000000000000, 64)
    REGISTER_CASE(19, sllw, 0xffffffff80000000, 1, 31)
    REGISTER_CASE(20, sllw, 1, 1, 32)
    REGISTER_CASE(21, srlw, 0xffffffff80000000, 0xffffffff80000000, 32)
    REGISTER_CASE(22, srlw, 1, 0xffffffff80000000, 31)
    REGISTER_CASE(23, srlw, 0x01234567, 0xffffffff12345678, 4)
    REGISTER_CASE(24, sraw, 0xfffffffff8000000, 0x0000000080000000, 4)
    REGISTER_CASE(25, sraw, 0x07654321, 0xffffffff76543210, 4)
    # word arithmetic ignores the high halves and sign-extends
    REGISTER_CASE(26, addw, 0xffffffff80000000, 0x7fffffff, 1)
    REGISTER_CASE(27, addw, 0, 0x1234567800000000, 0x1111111100000000)
    REGISTER_CASE(28, subw, 0x7fffffff, 0x80000000, 1)
    REGISTER_CASE(29, subw, -1, 0, 1)
    # immediates
    IMMEDIATE_CASE(30, addi, 0x7ffffffffffff7ff, 0x7fffffffffffffff, -2048)
    IMMEDIATE_CASE(31, addi, 2047, 0, 2047)
    IMMEDIATE_CASE(32, slti, 1, -2049, -2048)
    IMMEDIATE_CASE(33, sltiu, 1, 5, -1)
    IMMEDIATE_CASE(34, sltiu, 0, -1, -1)
    IMMEDIATE_CASE(35, xori, 0xffffffffffffff00, 0xff, -1)
    IMMEDIATE_CASE(36, ori, -1, 0x7ff, -2048)
    IMMEDIATE_CASE(37, andi, 0x800, 0xfff, -2048)
    IMMEDIATE_CASE(38, slli, 0x8000000000000000, 3, 63)
    IMMEDIATE_CASE(39, srli, 3, 0xc000000000000000, 62)
    IMMEDIATE_CASE(40, srai, -1, 0xc000000000000000, 62)
    IMMEDIATE_CASE(41, addiw, 0xffffffff80000000, 0x7fffffff, 1)
    IMMEDIATE_CASE(42, addiw, 0x12345678, 0xabcdef0012345678, 0)
    IMMEDIATE_CASE(43, slliw, 0xffffffff80000000, 3, 31)
    IMMEDIATE_CASE(44, srliw, 1, 0xffffffff80000000, 31)
    IMMEDIATE_CASE(45, sraiw, -1, 0x80000000, 31)
    # x0 stays 0, as a destination of everything
    li   a0, 7
    addi x0, a0, 1
    lui  x0, 0x12345
    EXPECT(46, x0, 0)
    # LUI sign-extends, AUIPC adds to its own address
    lui  a0, 0x80000
    EXPECT(47, a0, 0xffffffff80000000)
    auipc a0, 0
    auipc a1, 1
    sub  a2, a1, a0
    EXPECT(48, a2, 0x1004)

    # branches: taken and not, each at its edge
#define TAKEN(number, instruction, left, right) \
    li gp, number; li a0, left; li a1, right; instruction a0, a1, 1f; j fail; 1:
#define NOT_TAKEN(number, instruction, left, right) \
    li gp, number; li a0, left; li a1, right; instruction a0, a1, fail_##number; j 1f; fail_##number: j fail; 1:
    TAKEN(50, beq, -1, -1)
    NOT_TAKEN(51, beq, -1, 1)
    TAKEN(52, bne, 0x100000000, 0)
    NOT_TAKEN(53, bne, 9, 9)
    TAKEN(54, blt, -1, 0)
    NOT_TAKEN(55, blt, 0, -1)
    NOT_TAKEN(56, blt, 4, 4)
    TAKEN(57, bge, 4, 4)
    TAKEN(58, bge, 0, 0x8000000000000000)
    NOT_TAKEN(59, bge, -1, 0)
    TAKEN(60, bltu, 0, -1)
    NOT_TAKEN(61, bltu, -1, 0)
    TAKEN(62, bgeu, -1, 0)
    NOT_TAKEN(63, bgeu, 0, 0x8000000000000000)
    # loops backwards, links, and JALR clears bit 0 and may overwrite its own base
    li   gp, 64
    li   a0, 5
    li   a1, 0
1:  addi a1, a1, 3
    addi a0, a0, -1
    bnez a0, 1b
    EXPECT(64, a1, 15)
    la   a0, 2f
    addi a0, a0, 1
1:  jalr a0, a0, 0
    j    fail
2:  la   a1, 1b
    sub  a0, a0, a1
    EXPECT(65, a0, 4)
    jal  a0, 2f
1:  j    fail
2:  la   a1, 1b
    sub  a0, a0, a1
    EXPECT(66, a0, 0)

    # loads: sign and zero extension, negative offsets
    la   s0, pattern
    lb   a0, 0(s0)
    EXPECT(70, a0, 0xffffffffffffff88)
    lbu  a0, 0(s0)
    EXPECT(71, a0, 0x88)
    lh   a0, 0(s0)
    EXPECT(72, a0, 0xffffffffffff9988)
    lhu  a0, 0(s0)
    EXPECT(73, a0, 0x9988)
    lw   a0, 0(s0)
    EXPECT(74, a0, 0xffffffffbbaa9988)
    lwu  a0, 0(s0)
    EXPECT(75, a0, 0xbbaa9988)
    ld   a0, 0(s0)
    EXPECT(76, a0, 0x7feeddccbbaa9988)
    addi s1, s0, 8
    lb   a0, -1(s1)
    EXPECT(77, a0, 0x7f)
    # stores change their bytes and no others
    li   a1, 0x1122334455667788
    sb   a1, 1(s0)
    ld   a0, 0(s0)
    EXPECT(80, a0, 0x7feeddccbbaa8888)
    sh   a1, 2(s0)
    ld   a0, 0(s0)
    EXPECT(81, a0, 0x7feeddcc77888888)
    sw   a1, 4(s0)
    ld   a0, 0(s0)
    EXPECT(82, a0, 0x5566778877888888)
    sd   a1, 0(s0)
    ld   a0, 0(s0)
    EXPECT(83, a0, 0x1122334455667788)
    fence
    fence.i
    END
    .data
    .balign 8
pattern: .dword 0x7feeddccbbaa9988
