// SPDX-License-Identifier: Apache-2.0
// Every synchronous cause, and the state a trap saves and MRET restores (Privileged ISA 1.12, sections 3.1 and 3.3).
#include "tests/models/riscv/hart_fixture.h"

namespace npuvp::riscv::test {
namespace {

constexpr uint64_t kNowhere = 0x40000000;

class Trap : public HartTest {};

TEST_F(Trap, EcallFromMachine) {
  program({kNop, kEcall});
  run(2);
  expect_trap(11, 0, kCode + 4);
}

TEST_F(Trap, EcallFromUser) {
  open_memory_for_user();
  program({kEcall});
  enter_user(kCode);
  run(1);
  expect_trap(8, 0, kCode);
  EXPECT_EQ(csr_value(csr::kMstatus) & csr::mstatus::kMpp, 0u);
}

TEST_F(Trap, EbreakGivesItsAddress) {
  program({kEbreak});
  run(1);
  expect_trap(3, kCode, kCode);
}

TEST_F(Trap, CompressedEbreak) {
  bus.poke<uint16_t>(kCode, 0x9002);
  run(1);
  expect_trap(3, kCode, kCode);
}

TEST_F(Trap, IllegalInstructionGivesItsBits) {
  program({0xffffffffu});
  run(1);
  expect_trap(2, 0xffffffff, kCode);
}

TEST_F(Trap, IllegalCompressedInstructionGivesItsSixteenBits) {
  bus.poke<uint32_t>(kCode, 0xffff2000);  // C.FLD, without D
  run(1);
  expect_trap(2, 0x2000, kCode);
}

TEST_F(Trap, ZeroIsIllegal) {
  run(1);
  expect_trap(2, 0, kCode);
}

TEST_F(Trap, SupervisorInstructionsAreIllegal) {
  for (const uint32_t word : {kSret, 0x12000073u /* SFENCE.VMA */, 0x00200073u /* URET */}) {
    hart.reset();
    hart.write_csr(csr::kMtvec, kHandler);
    program({word});
    hart.invalidate_code();
    run(1);
    expect_trap(2, word, kCode);
  }
}

TEST_F(Trap, MretInUserModeIsIllegal) {
  open_memory_for_user();
  program({kMret});
  enter_user(kCode);
  run(1);
  expect_trap(2, kMret, kCode);
}

TEST_F(Trap, MisalignedAccessesGiveTheAddress) {
  struct Case {
    uint32_t instruction;
    uint64_t cause;
    uint64_t offset;
  };
  for (const Case& tested :
       {Case{load(1, a1, a0), 4, 1}, Case{lw(a1, a0), 4, 2}, Case{ld(a1, a0), 4, 4}, Case{load(5, a1, a0), 4, 3},
        Case{sh(a1, a0), 6, 1}, Case{sw(a1, a0), 6, 2}, Case{sd(a1, a0), 6, 4}, Case{lr_d(a1, a0), 4, 4},
        Case{lr_w(a1, a0), 4, 2}, Case{sc_d(a1, a2, a0), 6, 4}, Case{amoadd_d(a1, a2, a0), 6, 4}}) {
    SCOPED_TRACE(tested.instruction);
    program({tested.instruction});
    hart.invalidate_code();
    hart.set_pc(kCode);
    hart.set_x(a0, kData + tested.offset);
    hart.set_x(a1, 0x77);
    run(1);
    expect_trap(tested.cause, kData + tested.offset, kCode);
    EXPECT_EQ(hart.x(a1), 0x77u) << "a trapped instruction has no effect";
  }
}

TEST_F(Trap, AccessFaultsGiveTheAddress) {
  struct Case {
    uint32_t instruction;
    uint64_t cause;
  };
  for (const Case& tested :
       {Case{lw(a1, a0), 5}, Case{sd(a1, a0), 7}, Case{lr_d(a1, a0), 5}, Case{amoadd_d(a1, a2, a0), 7}}) {
    SCOPED_TRACE(tested.instruction);
    program({tested.instruction});
    hart.invalidate_code();
    hart.set_pc(kCode);
    hart.set_x(a0, kNowhere);
    hart.set_x(a1, 0x77);
    run(1);
    expect_trap(tested.cause, kNowhere, kCode);
    EXPECT_EQ(hart.x(a1), 0x77u);
  }
}

TEST_F(Trap, FetchAccessFaultIsTakenAtTheTarget) {
  program({jalr(ra, a0)});
  hart.set_x(a0, kNowhere);
  run(2);
  expect_trap(1, kNowhere, kNowhere);
  EXPECT_EQ(hart.x(ra), kCode + 4) << "the jump itself has completed";
}

TEST_F(Trap, FetchFaultInTheSecondHalfGivesThatHalfsAddress) {
  const uint64_t last = FlatBus::kRam + FlatBus::kRamBytes - 2;
  bus.poke<uint16_t>(last, 0x0513);  // low half of a 32-bit ADDI at the end of memory
  hart.set_pc(last);
  run(1);
  expect_trap(1, last + 2, last);
}

TEST_F(Trap, SavesAndRestoresTheInterruptEnable) {
  using namespace csr;
  program({kEcall});
  bus.poke(kHandler, kMret);
  hart.write_csr(kMstatus, mstatus::kMie);
  run(1);
  EXPECT_EQ(csr_value(kMstatus), mstatus::kUxl64 | mstatus::kMpie | mstatus::kMpp);
  run(1);
  EXPECT_EQ(hart.pc(), kCode);
  EXPECT_EQ(hart.privilege(), Privilege::kMachine);
  EXPECT_EQ(csr_value(kMstatus), mstatus::kUxl64 | mstatus::kMie | mstatus::kMpie) << "MPP becomes user, MPIE 1";
}

TEST_F(Trap, MretToUserClearsMprv) {
  open_memory_for_user();
  program({kNop});
  hart.write_csr(csr::kMstatus, csr::mstatus::kMprv);
  enter_user(kCode);
  EXPECT_EQ(csr_value(csr::kMstatus) & csr::mstatus::kMprv, 0u);
}

TEST_F(Trap, ExceptionsIgnoreVectoring) {
  hart.write_csr(csr::kMtvec, kHandler | 1);
  program({kEcall});
  run(1);
  EXPECT_EQ(hart.pc(), kHandler);
}

TEST_F(Trap, TrappedInstructionsTakeACycleAndDoNotRetire) {
  program({kNop, kEcall});
  const RunResult result = run(4);  // nop, ecall, and two jumps to self
  EXPECT_EQ(result.cycles, 4u);
  EXPECT_EQ(csr_value(csr::kMcycle), 4u);
  EXPECT_EQ(csr_value(csr::kMinstret), 3u);
  EXPECT_EQ(hart.instructions_retired(), 3u);
}

TEST_F(Trap, LoopOfTrapsUsesUpTheBudget) {
  hart.write_csr(csr::kMtvec, kNowhere);
  const RunResult result = run(1000);
  EXPECT_EQ(result.reason, StopReason::kBudget);
  EXPECT_EQ(result.cycles, 1000u);
  EXPECT_EQ(hart.instructions_retired(), 0u);
}

class MisalignedHart : public HartTest {
 protected:
  MisalignedHart() : HartTest(true) {}
};

TEST_F(MisalignedHart, LoadsAndStoresAcrossAPage) {
  const uint64_t address = kData + 0x1000 - 3;
  program({sd(a1, a0), ld(a2, a0), load(6, a3, a0)});
  hart.set_x(a0, address);
  hart.set_x(a1, 0x8877665544332211);
  run(3);
  EXPECT_EQ(hart.pc(), kCode + 12);
  EXPECT_EQ(bus.peek<uint64_t>(address), 0x8877665544332211u);
  EXPECT_EQ(hart.x(a2), 0x8877665544332211u);
  EXPECT_EQ(hart.x(a3), 0x44332211u);
}

TEST_F(MisalignedHart, SignExtends) {
  bus.poke<uint32_t>(kData + 1, 0x80000001);
  program({lw(a1, a0)});
  hart.set_x(a0, kData + 1);
  run(1);
  EXPECT_EQ(hart.x(a1), 0xffffffff80000001u);
}

TEST_F(MisalignedHart, StoreOverTheEndOfMemoryChangesNothing) {
  const uint64_t address = FlatBus::kRam + FlatBus::kRamBytes - 4;
  program({sd(a1, a0)});
  hart.set_x(a0, address);
  hart.set_x(a1, ~0ull);
  run(1);
  EXPECT_EQ(hart.pc(), kHandler);
  EXPECT_EQ(bus.peek<uint32_t>(address), 0u);
}

TEST_F(MisalignedHart, RegistersStillTrap) {
  program({lw(a1, a0)});
  hart.set_x(a0, FlatBus::kDevice + 1);
  run(1);
  expect_trap(4, FlatBus::kDevice + 1, kCode);
  EXPECT_TRUE(bus.accesses.empty());
}

TEST_F(MisalignedHart, AtomicsStillTrap) {
  program({amoadd_d(a1, a2, a0)});
  hart.set_x(a0, kData + 4);
  run(1);
  expect_trap(6, kData + 4, kCode);
}

}  // namespace
}  // namespace npuvp::riscv::test
