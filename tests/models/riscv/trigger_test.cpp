// SPDX-License-Identifier: Apache-2.0
// Hardware breakpoints and watchpoints (Debug Specification 1.0, chapter "Sdtrig").
#include "tests/models/riscv/hart_fixture.h"

namespace npuvp::riscv::test {
namespace {

using T = TriggerModule;

class Trigger : public HartTest {
 protected:
  Trigger() {
    hart.write_csr(csr::kTcontrol, 1u << 3);  // mte: machine mode may be interrupted
    hart.set_x(a0, kData);
  }
  void set(unsigned index, uint64_t control, uint64_t address) {
    hart.write_csr(csr::kTselect, index);
    hart.write_csr(csr::kTdata2, address);
    hart.write_csr(csr::kTdata1, T::kMcontrol6 | control);
  }
  [[nodiscard]] bool hit(unsigned index) {
    hart.write_csr(csr::kTselect, index);
    return (csr_value(csr::kTdata1) & T::kHit) != 0;
  }
};

constexpr uint64_t kAnyMode = T::kMachine | T::kUser;
constexpr uint64_t kStop = T::kDebuggerOnly | T::kToDebugger;

TEST_F(Trigger, ExecuteRaisesABreakpointBeforeTheInstruction) {
  program({kNop, addi(a1, x0, 1), kNop});
  set(2, kAnyMode | T::kExecute, kCode + 4);
  run(2);
  expect_trap(3, kCode + 4, kCode + 4);
  EXPECT_EQ(hart.x(a1), 0u);
  EXPECT_TRUE(hit(2));
  EXPECT_FALSE(hit(0));
}

TEST_F(Trigger, LoadAndStoreRaiseBreakpointsWithTheirAddress) {
  program({lw(a1, a0), sw(a1, a0), ld(a1, a0)});
  bus.poke<uint32_t>(kData, 7);
  set(0, kAnyMode | T::kStore, kData + 3);  // any byte of the access matches
  run(2);
  expect_trap(3, kData, kCode + 4);
  EXPECT_EQ(hart.x(a1), 7u);

  hart.write_csr(csr::kTdata1, T::kMcontrol6 | kAnyMode | T::kLoad);
  hart.write_csr(csr::kTcontrol, 1u << 3);
  hart.set_pc(kCode + 4);
  run(2);
  expect_trap(3, kData, kCode + 8);
}

TEST_F(Trigger, AccessesThatWentFastBeforeAreSeen) {
  program({lw(a1, a0), lw(a1, a0), kNop});
  run(1);
  set(0, kAnyMode | T::kLoad, kData);
  run(1);
  expect_trap(3, kData, kCode + 4);
}

TEST_F(Trigger, NeighboursOfAWatchedAddressAreLeftAlone) {
  program({lw(a1, a0, 4), lw(a1, a0, -4), sb(a1, a0, 4), lw(a1, a0)});
  set(0, kAnyMode | T::kLoad | T::kStore, kData);
  run(3);
  EXPECT_EQ(hart.pc(), kCode + 12);
  run(1);
  expect_trap(3, kData, kCode + 12);
}

TEST_F(Trigger, RangesAndSizes) {
  program({lw(a1, a0), ld(a1, a0)});
  // NAPOT over 16 bytes, doublewords only
  set(0, kAnyMode | T::kLoad | T::kNapot | 5ull << 16, kData | 7);
  run(2);
  expect_trap(3, kData, kCode + 4);
  set(0, kAnyMode | T::kLoad | T::kBelow, kData);
  hart.write_csr(csr::kTcontrol, 1u << 3);
  hart.set_pc(kCode);
  run(1);
  EXPECT_EQ(hart.pc(), kCode + 4);
  set(0, kAnyMode | T::kLoad | T::kBelow, kData + 1);
  run(1);
  expect_trap(3, kData, kCode + 4);
  set(0, kAnyMode | T::kLoad | T::kAtOrAbove, kData + 4);
  hart.write_csr(csr::kTcontrol, 1u << 3);
  hart.set_pc(kCode);
  run(1);
  EXPECT_EQ(hart.pc(), kCode + 4);
  run(1);  // the doubleword reaches up to it
  expect_trap(3, kData, kCode + 4);
}

TEST_F(Trigger, ModeBitsAndMteDecideWhoIsStopped) {
  open_memory_for_user();
  program({kNop, kNop});
  set(0, T::kUser | T::kExecute, kCode);
  run(1);
  EXPECT_EQ(hart.pc(), kCode + 4);
  enter_user(kCode);
  hart.write_csr(csr::kTcontrol, 1u << 3);
  run(1);
  expect_trap(3, kCode, kCode);
  // The trap has cleared mte: machine mode is not interrupted now.
  EXPECT_EQ(csr_value(csr::kTcontrol), 1u << 7);
  set(0, T::kMachine | T::kExecute, kCode);
  hart.set_pc(kCode);
  run(1);
  EXPECT_EQ(hart.pc(), kCode + 4);
}

TEST_F(Trigger, DebuggersTriggerStopsOnceAndThenLetsPass) {
  program({sw(a1, a0), kNop, kJumpToSelf});
  hart.set_x(a1, 5);
  set(1, kAnyMode | T::kStore | kStop, kData);
  RunResult result = run(10);
  EXPECT_EQ(result.reason, StopReason::kTrigger);
  EXPECT_EQ(result.cycles, 0u);
  EXPECT_EQ(hart.pc(), kCode);
  EXPECT_EQ(bus.peek<uint32_t>(kData), 0u);
  EXPECT_TRUE(hit(1));
  result = run(10);
  EXPECT_EQ(result.reason, StopReason::kBudget);
  EXPECT_EQ(result.cycles, 10u);
  EXPECT_EQ(bus.peek<uint32_t>(kData), 5u);

  hart.set_pc(kCode);
  set(1, kAnyMode | T::kExecute | kStop, kCode + 4);
  result = run(10);
  EXPECT_EQ(result.reason, StopReason::kTrigger);
  EXPECT_EQ(result.cycles, 1u);
  EXPECT_EQ(hart.pc(), kCode + 4);
  EXPECT_EQ(run(1).reason, StopReason::kBudget);
  EXPECT_EQ(hart.pc(), kCode + 8);
}

TEST_F(Trigger, SoftwareCannotTouchTheDebuggersTriggers) {
  set(0, kAnyMode | T::kLoad | kStop, kData);
  const uint64_t before = csr_value(csr::kTdata1);
  program({csrrw(x0, csr::kTdata1, x0), csrrw(x0, csr::kTdata2, x0)});
  run(2);
  EXPECT_EQ(csr_value(csr::kTdata1), before);
  EXPECT_EQ(csr_value(csr::kTdata2), kData);
}

TEST_F(Trigger, RegistersAreLegalised) {
  hart.write_csr(csr::kTselect, 3);
  hart.write_csr(csr::kTselect, 4);
  EXPECT_EQ(csr_value(csr::kTselect), 3u);
  EXPECT_EQ(csr_value(csr::kTinfo), 0x01008040u);  // version 1.0, types 6 and 15
  // Software may not ask for a halt, nor for types, matches and sizes that are not there.
  program({csrrw(x0, csr::kTdata1, a1), csrrs(a2, csr::kTdata1, x0), csrrw(x0, csr::kTdata1, a3)});
  hart.set_x(a1, T::kMcontrol6 | kStop | T::kLoad | 9ull << 7 | 7ull << 16 | 1ull << 11 | 1ull << 4);
  hart.set_x(a3, 2ull << 60 | T::kLoad);
  run(3);
  EXPECT_EQ(hart.x(a2), T::kMcontrol6 | T::kLoad);
  EXPECT_EQ(csr_value(csr::kTdata1), T::kDisabled);
}

TEST_F(Trigger, AreGoneAfterReset) {
  program({kNop});
  set(0, kAnyMode | T::kLoad, kData);
  hart.reset();
  program({lw(a1, a0), kNop});
  hart.set_x(a0, kData);
  run(2);
  EXPECT_EQ(hart.pc(), kCode + 8);
}

}  // namespace
}  // namespace npuvp::riscv::test
