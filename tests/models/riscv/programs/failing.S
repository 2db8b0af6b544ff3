# SPDX-License-Identifier: Apache-2.0
# Prints by the console command and by the write system call, then reports case 7 as failed.
#include "self_check.h"
    BEGIN
    la   s0, tohost
    la   s1, fromhost
    li   a0, 0x0101000000000021
    sd   a0, 0(s0)
1:  ld   a0, 0(s0)
    bnez a0, 1b
    la   a0, block
    sd   a0, 0(s0)
2:  ld   a1, 0(s1)
    beqz a1, 2b
    sd   zero, 0(s1)
    ld   a1, 0(a0)
    EXPECT(6, a1, 6)
    li   gp, 7
    j    fail
    END
    .globl fromhost
    .balign 64
fromhost: .dword 0
    .data
    .balign 64
block: .dword 64, 1, text, 6, 0, 0, 0, 0
text: .ascii "hello\n"
