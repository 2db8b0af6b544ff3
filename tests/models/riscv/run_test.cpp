// SPDX-License-Identifier: Apache-2.0
// How run() stops: budget, bus accesses, breakpoints, halt; and what observers see.
#include <gmock/gmock.h>

#include "tests/models/riscv/hart_fixture.h"

namespace npuvp::riscv::test {
namespace {

using testing::ElementsAre;

class Run : public HartTest {};

class Recorder final : public HartObserver {
 public:
  void on_instruction(const Hart&, uint64_t pc, const Instruction& instruction) override {
    pcs.push_back(pc);
    raws.push_back(instruction.raw);
  }
  void on_trap(const Hart&, const TrapRecord& trap) override { traps.push_back(trap); }

  std::vector<uint64_t> pcs;
  std::vector<uint32_t> raws;
  std::vector<TrapRecord> traps;
};

TEST_F(Run, UsesExactlyItsBudget) {
  program({kJumpToSelf});
  for (const uint64_t budget : {0u, 1u, 2u, 1000u}) {
    const RunResult result = hart.run(budget);
    EXPECT_EQ(result.reason, StopReason::kBudget);
    EXPECT_EQ(result.cycles, budget);
  }
  EXPECT_EQ(hart.instructions_retired(), 1003u);
}

TEST_F(Run, StopsBeforeABusAccess) {
  program({kNop, sw(a1, a0), lw(a2, a0), kNop});
  hart.set_x(a0, FlatBus::kDevice + 8);
  hart.set_x(a1, 0x12345678);
  bus.device_value = 0x80000000;
  RunResult result = hart.run(10);
  EXPECT_EQ(result.reason, StopReason::kSync);
  EXPECT_EQ(result.cycles, 1u);
  EXPECT_EQ(hart.pc(), kCode + 4);
  EXPECT_TRUE(bus.accesses.empty());
  EXPECT_EQ(hart.run(10).cycles, 0u) << "asking again changes nothing";
  result = hart.run(1, BusAccess::kAllowed);
  EXPECT_EQ(result.cycles, 1u);
  ASSERT_EQ(bus.accesses.size(), 1u);
  EXPECT_TRUE(bus.accesses[0].is_store);
  EXPECT_EQ(bus.accesses[0].address, FlatBus::kDevice + 8);
  EXPECT_EQ(bus.accesses[0].size_bytes, 4u);
  EXPECT_EQ(bus.accesses[0].value, 0x12345678u);
  EXPECT_EQ(hart.run(10).reason, StopReason::kSync);
  hart.run(1, BusAccess::kAllowed);
  EXPECT_EQ(hart.x(a2), 0xffffffff80000000u);
  EXPECT_EQ(hart.instructions_retired(), 3u);
}

TEST_F(Run, InterruptComesBeforeTheAccessThatWaits) {
  program({sw(a1, a0)});
  hart.set_x(a0, FlatBus::kDevice);
  hart.write_csr(csr::kMie, 0x888);
  hart.write_csr(csr::kMstatus, csr::mstatus::kMie);
  EXPECT_EQ(hart.run(10).reason, StopReason::kSync);
  hart.set_interrupt_pending(Interrupt::kTimer, true);
  hart.run(1, BusAccess::kAllowed);
  EXPECT_TRUE(bus.accesses.empty());
  EXPECT_EQ(csr_value(csr::kMepc), kCode);
}

TEST_F(Run, StoreConditionalFailsWhenMemoryHasChanged) {
  program({lr_d(a1, a0), sc_d(a2, t0, a0)});
  hart.set_x(a0, kData);
  hart.set_x(t0, 5);
  run(1);
  bus.poke<uint64_t>(kData, 99);  // another hart
  run(1);
  EXPECT_EQ(hart.x(a2), 1u);
  EXPECT_EQ(bus.peek<uint64_t>(kData), 99u);
}

TEST_F(Run, TrapEndsAReservation) {
  program({lr_d(a1, a0), kEcall, sc_d(a2, t0, a0)});
  hart.set_x(a0, kData);
  run(2);
  hart.set_pc(kCode + 8);
  run(1);
  EXPECT_EQ(hart.x(a2), 1u);
}

TEST_F(Run, BreakpointStopsBeforeAndThenStepsOver) {
  program({kNop, kNop, kNop, kJumpToSelf});
  hart.add_breakpoint(kCode + 4);
  RunResult result = hart.run(10);
  EXPECT_EQ(result.reason, StopReason::kBreakpoint);
  EXPECT_EQ(result.cycles, 1u);
  EXPECT_EQ(hart.pc(), kCode + 4);
  EXPECT_EQ(hart.run(10).reason, StopReason::kBudget);
  hart.set_pc(kCode);
  EXPECT_EQ(hart.run(10).reason, StopReason::kBreakpoint) << "it is still there";
  hart.remove_breakpoint(kCode + 4);
  EXPECT_EQ(hart.run(10).reason, StopReason::kBudget);
}

TEST_F(Run, BreakpointOnABusAccessStopsOnce) {
  program({sw(a1, a0), kJumpToSelf});
  hart.set_x(a0, FlatBus::kDevice);
  hart.add_breakpoint(kCode);
  EXPECT_EQ(hart.run(10).reason, StopReason::kBreakpoint);
  EXPECT_EQ(hart.run(10).reason, StopReason::kSync);
  EXPECT_EQ(hart.run(1, BusAccess::kAllowed).reason, StopReason::kBudget);
  EXPECT_EQ(hart.pc(), kCode + 4);
}

TEST_F(Run, HaltStopsOnce) {
  program({kJumpToSelf});
  hart.request_halt();
  RunResult result = hart.run(10);
  EXPECT_EQ(result.reason, StopReason::kHalted);
  EXPECT_EQ(result.cycles, 0u);
  EXPECT_EQ(hart.run(10).reason, StopReason::kBudget);
}

TEST_F(Run, HaltFromABusAccessStopsBehindIt) {
  program({sw(a1, a0), kJumpToSelf});
  hart.set_x(a0, FlatBus::kDevice);
  bus.on_device_store = [this] { hart.request_halt(); };
  const RunResult result = run(10);
  EXPECT_EQ(result.reason, StopReason::kHalted);
  EXPECT_EQ(result.cycles, 1u);
  EXPECT_EQ(hart.pc(), kCode + 4);
}

TEST_F(Run, ObserverSeesEachInstructionOnceAndTraps) {
  program({kNop, sw(a1, a0), kEcall});
  hart.set_x(a0, FlatBus::kDevice);
  Recorder recorder;
  hart.set_observer(&recorder);
  EXPECT_EQ(hart.run(10).reason, StopReason::kSync);
  hart.run(1, BusAccess::kAllowed);
  hart.run(1);
  EXPECT_THAT(recorder.pcs, ElementsAre(kCode, kCode + 4, kCode + 8));
  EXPECT_THAT(recorder.raws, ElementsAre(kNop, sw(a1, a0), kEcall));
  ASSERT_EQ(recorder.traps.size(), 1u);
  EXPECT_EQ(recorder.traps[0].cause, 11u);
  EXPECT_EQ(recorder.traps[0].pc, kCode + 8);
  EXPECT_EQ(recorder.traps[0].handler, kHandler);
}

TEST_F(Run, ResetKeepsInterruptInputs) {
  hart.set_x(a0, 1);
  hart.set_interrupt_pending(Interrupt::kTimer, true);
  hart.set_pc(kData);
  hart.reset();
  EXPECT_EQ(hart.x(a0), 0u);
  EXPECT_EQ(hart.pc(), kCode);
  EXPECT_EQ(csr_value(csr::kMip), 1u << 7);
}

}  // namespace
}  // namespace npuvp::riscv::test
