# SPDX-License-Identifier: Apache-2.0
# Instructions that straddle, end at and jump over 4 KiB pages, among them one changed in its second half.
#include "self_check.h"
    BEGIN
    .option rvc
    li   s2, 3
again:
    li   a0, 0
    j    straddle
    .balign 4096
    .skip 4092
straddle:
    c.addi a0, 1
    .option norvc
    addi a0, a0, 0x100        # two bytes in each page
    .option rvc
    c.addi a0, 1
    EXPECT(1, a0, 0x102)
    li   a0, 0
    j    last
    .balign 4096
    .skip 4094
last:
    c.addi a0, 5              # the page's last two bytes
    EXPECT(2, a0, 5)
    addi s2, s2, -1
    bnez s2, again
    # the second half of the straddling ADDI holds its immediate: 0x100 becomes 0x200
    la   a1, straddle
    li   a2, 0x2005
    sh   a2, 4(a1)
    fence.i
    li   a0, 0
    la   t1, straddle
    la   t2, return_here
    # put "jr t2" over the instruction after it
    li   a3, 0x8382           # c.jr t2
    sh   a3, 6(a1)
    fence.i
    jr   t1
return_here:
    EXPECT(3, a0, 0x201)
    END
