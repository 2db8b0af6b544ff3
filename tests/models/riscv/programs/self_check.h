/* SPDX-License-Identifier: Apache-2.0 */
/* Self-checking programs: gp holds the number of the running case; the end writes 1 to tohost for success or
 * (case << 1) | 1 for the failed case, the convention of riscv-tests. Expected values are worked out by hand. */
#pragma once

#define BEGIN      \
  .section .text;  \
  .globl _start;   \
  _start:          \
  la t0, unexpected; \
  csrw mtvec, t0;

#define EXPECT(number, reg, expected) \
  li gp, number;                      \
  li t6, expected;                    \
  bne reg, t6, fail;

#define REGISTER_CASE(number, instruction, expected, left, right) \
  li a0, left;                                                    \
  li a1, right;                                                   \
  instruction a2, a0, a1;                                         \
  EXPECT(number, a2, expected)

#define IMMEDIATE_CASE(number, instruction, expected, left, imm) \
  li a0, left;                                                   \
  instruction a2, a0, imm;                                       \
  EXPECT(number, a2, expected)

#define END         \
  li gp, 0;         \
  .balign 4;        \
  fail:             \
  slli gp, gp, 1;   \
  ori gp, gp, 1;    \
  la t5, tohost;    \
  sd gp, 0(t5);     \
  1: j 1b;          \
  .balign 4;        \
  unexpected:       \
  ori gp, gp, 1024; \
  j fail;           \
  .section .tohost, "aw", @progbits; \
  .balign 64;       \
  .globl tohost;    \
  tohost: .dword 0;
