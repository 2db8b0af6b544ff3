// SPDX-License-Identifier: Apache-2.0
// Decoded code and what changes it: stores, FENCE.I, loaders, rights.
#include "tests/models/riscv/hart_fixture.h"

namespace npuvp::riscv::test {
namespace {

class Code : public HartTest {};

TEST_F(Code, OwnStoresAreSeenAtOnce) {
  // addi a0 becomes addi a0 + 2 in the second round
  program({addi(a0, a0, 1), sw(a1, a2), jalr(x0, a3)});
  hart.set_x(a1, addi(a0, a0, 2));
  hart.set_x(a2, kCode);
  hart.set_x(a3, kCode);
  run(4);
  EXPECT_EQ(hart.x(a0), 3u);
}

TEST_F(Code, StoreIntoTheSecondHalfOfAnInstruction) {
  program({addi(a0, a0, 1), sh(a1, a2), jalr(x0, a3)});
  hart.set_x(a1, addi(a0, a0, 2) >> 16);
  hart.set_x(a2, kCode + 2);
  hart.set_x(a3, kCode);
  run(4);
  EXPECT_EQ(hart.x(a0), 3u);
}

TEST_F(Code, StoresMadeFastBeforeThePageHeldCodeAreSeenToo) {
  const uint64_t patch = kData;
  program({sw(a1, a2), sw(a1, a2), jalr(ra, a2), sw(t0, a2), jalr(ra, a2)});
  program({jalr(x0, ra)}, patch + 4);
  hart.set_x(a1, addi(a0, a0, 1));
  hart.set_x(t0, addi(a0, a0, 16));
  hart.set_x(a2, patch);
  run(9);
  EXPECT_EQ(hart.x(a0), 17u);
}

TEST_F(Code, EveryStoreToExecutedCodeIsSeenNotOnlyTheFirst) {
  const uint64_t patch = kData;
  program({addi(a0, a0, 1), jalr(x0, ra)}, patch);
  program({jalr(ra, a2), sw(a1, a2), jalr(ra, a2), sw(t0, a2), jalr(ra, a2)});
  hart.set_x(a1, addi(a0, a0, 16));
  hart.set_x(t0, addi(a0, a0, 256));
  hart.set_x(a2, patch);
  run(11);
  EXPECT_EQ(hart.x(a0), 1u + 16 + 256);
}

TEST_F(Code, StoreToTheSecondPageOfAStraddlingInstruction) {
  const uint64_t straddling = kData + 0x1000 - 2;
  const uint32_t before = addi(a0, a0, 1);
  bus.poke(straddling, before);
  program({jalr(x0, ra)}, straddling + 4);
  program({jalr(ra, a2), sh(a1, a3), jalr(ra, a2)});
  hart.set_x(a1, addi(a0, a0, 16) >> 16);
  hart.set_x(a2, straddling);
  hart.set_x(a3, straddling + 2);
  run(7);
  EXPECT_EQ(hart.x(a0), 17u);
}

TEST_F(Code, OthersStoresNeedFenceI) {
  program({addi(a0, a0, 1), kFenceI, jalr(x0, a3)});
  hart.set_x(a3, kCode);
  run(1);
  bus.poke(kCode, addi(a0, a0, 2));  // as a DMA engine does
  run(3);                            // fence.i, jump, the new instruction
  EXPECT_EQ(hart.x(a0), 3u);
}

TEST_F(Code, RunsOverThePageEndAndJumpsBack) {
  const uint64_t last = kCode + 0x1000 + 0x1000 - 4;
  program({addi(a0, a0, 1), addi(a0, a0, 1), jalr(x0, a3)}, last);
  hart.set_x(a3, last);
  hart.set_pc(last);
  const RunResult result = run(300);
  EXPECT_EQ(result.cycles, 300u);
  EXPECT_EQ(hart.x(a0), 200u);
  EXPECT_EQ(hart.instructions_retired(), 300u);
}

TEST_F(Code, ExecutableRightIsCheckedAfterAModeChange) {
  open_memory_for_user();
  program({kNop});
  run(1);                                                // decoded by machine mode
  hart.write_csr(csr::kPmpaddr0, (kCode >> 2) | 0x1ff);  // its page: not for user mode
  hart.write_csr(csr::kPmpcfg0, 0x18);
  hart.write_csr(csr::kPmpaddr0 + 1, 0);
  enter_user(kCode);
  run(1);
  expect_trap(1, kCode, kCode);
}

TEST_F(Code, DirectMemoryThatIsWithdrawnIsNotUsed) {
  program({lw(a1, a0), lw(a2, a0)});
  hart.set_x(a0, kData);
  bus.poke<uint32_t>(kData, 7);
  run(1);
  bus.direct_memory = false;
  hart.flush_direct_memory();
  EXPECT_EQ(hart.run(1).reason, StopReason::kSync) << "now the fetch is a bus access";
  run(1);
  EXPECT_EQ(hart.x(a2), 7u);
}

}  // namespace
}  // namespace npuvp::riscv::test
