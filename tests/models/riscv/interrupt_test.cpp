// SPDX-License-Identifier: Apache-2.0
// Interrupts and WFI (Privileged ISA 1.12, sections 3.1.6, 3.1.9 and 3.3.3).
#include "tests/models/riscv/hart_fixture.h"

namespace npuvp::riscv::test {
namespace {

constexpr uint64_t kAll = 0x888;
constexpr uint64_t kInterrupt = 1ull << 63;

class Interrupts : public HartTest {
 protected:
  void enable(uint64_t mie) {
    hart.write_csr(csr::kMie, mie);
    hart.write_csr(csr::kMstatus, csr::mstatus::kMie);
  }
};

TEST_F(Interrupts, ExternalBeforeSoftwareBeforeTimer) {
  program({kNop});
  hart.set_interrupt_pending(Interrupt::kTimer, true);
  hart.set_interrupt_pending(Interrupt::kSoftware, true);
  hart.set_interrupt_pending(Interrupt::kExternal, true);
  for (const auto& [line, code] :
       {std::pair{Interrupt::kExternal, 11u}, {Interrupt::kSoftware, 3u}, {Interrupt::kTimer, 7u}}) {
    hart.set_pc(kCode);
    enable(kAll);
    run(1);  // the handler's first instruction
    EXPECT_EQ(csr_value(csr::kMcause), kInterrupt | code);
    EXPECT_EQ(csr_value(csr::kMepc), kCode);
    EXPECT_EQ(csr_value(csr::kMtval), 0u);
    EXPECT_EQ(hart.pc(), kHandler);
    hart.set_interrupt_pending(line, false);
  }
}

TEST_F(Interrupts, VectoredModeAddsFourTimesTheCode) {
  hart.write_csr(csr::kMtvec, kHandler | 1);
  program({kJumpToSelf}, kHandler + 4 * 7);
  hart.set_interrupt_pending(Interrupt::kTimer, true);
  enable(kAll);
  run(1);
  EXPECT_EQ(hart.pc(), kHandler + 4 * 7);
}

TEST_F(Interrupts, NeedTheirEnableAndTheGlobalOne) {
  program({kNop, kNop, kNop, kNop});
  hart.set_interrupt_pending(Interrupt::kTimer, true);
  run(1);
  hart.write_csr(csr::kMie, 1 << 7);
  run(1);
  hart.write_csr(csr::kMie, 1 << 3);
  hart.write_csr(csr::kMstatus, csr::mstatus::kMie);
  run(1);
  EXPECT_EQ(hart.pc(), kCode + 12);
}

TEST_F(Interrupts, AreAlwaysTakenInUserMode) {
  open_memory_for_user();
  program({kJumpToSelf});
  hart.write_csr(csr::kMie, kAll);
  enter_user(kCode);
  run(10);
  EXPECT_EQ(hart.privilege(), Privilege::kUser);
  hart.set_interrupt_pending(Interrupt::kSoftware, true);
  run(1);
  EXPECT_EQ(csr_value(csr::kMcause), kInterrupt | 3);
  EXPECT_EQ(csr_value(csr::kMepc), kCode);
}

TEST_F(Interrupts, EnablingInstructionIsFollowedByTheInterrupt) {
  program({csrrs(x0, csr::kMstatus, a0), kNop});
  hart.write_csr(csr::kMie, kAll);
  hart.set_x(a0, csr::mstatus::kMie);
  hart.set_interrupt_pending(Interrupt::kTimer, true);
  run(2);
  EXPECT_EQ(csr_value(csr::kMepc), kCode + 4);
  EXPECT_EQ(hart.pc(), kHandler);
}

TEST_F(Interrupts, RaisedByAStoreIsTakenBeforeTheNextInstruction) {
  program({sw(a1, a0), kNop});
  hart.set_x(a0, FlatBus::kDevice);
  bus.on_device_store = [this] { hart.set_interrupt_pending(Interrupt::kSoftware, true); };
  enable(kAll);
  run(2);
  EXPECT_EQ(csr_value(csr::kMepc), kCode + 4);
}

TEST_F(Interrupts, MretToAnEnabledInterruptTakesItAtOnce) {
  program({kMret});
  hart.write_csr(csr::kMie, kAll);
  hart.write_csr(csr::kMstatus, csr::mstatus::kMpie | csr::mstatus::kMpp);
  hart.write_csr(csr::kMepc, kData);
  hart.set_interrupt_pending(Interrupt::kTimer, true);
  run(2);
  EXPECT_EQ(csr_value(csr::kMepc), kData);
  EXPECT_EQ(hart.pc(), kHandler);
}

TEST_F(Interrupts, WfiStopsAndCostsNothingUntilOnePends) {
  program({kWfi, kNop});
  hart.write_csr(csr::kMie, 1 << 7);
  RunResult result = run(100);
  EXPECT_EQ(result.reason, StopReason::kWfi);
  EXPECT_EQ(result.cycles, 1u);
  EXPECT_EQ(hart.pc(), kCode + 4);
  hart.set_interrupt_pending(Interrupt::kExternal, true);  // not enabled
  result = run(100);
  EXPECT_EQ(result.reason, StopReason::kWfi);
  EXPECT_EQ(result.cycles, 0u);
  hart.set_interrupt_pending(Interrupt::kTimer, true);
  result = run(1);
  EXPECT_EQ(result.reason, StopReason::kBudget);
  EXPECT_EQ(hart.pc(), kCode + 8) << "with mstatus.MIE 0 execution goes on after WFI";
}

TEST_F(Interrupts, WfiThatIsInterruptedReturnsBehindItself) {
  program({kWfi, kNop});
  enable(kAll);
  run(100);
  hart.set_interrupt_pending(Interrupt::kTimer, true);
  run(1);
  EXPECT_EQ(csr_value(csr::kMepc), kCode + 4);
}

TEST_F(Interrupts, WfiWithAPendingOneGoesOn) {
  program({kWfi, kNop});
  hart.write_csr(csr::kMie, kAll);
  hart.set_interrupt_pending(Interrupt::kTimer, true);
  EXPECT_EQ(run(2).reason, StopReason::kBudget);
  EXPECT_EQ(hart.pc(), kCode + 8);
}

TEST_F(Interrupts, WfiInUserModeObeysTimeoutWait) {
  open_memory_for_user();
  program({kWfi});
  enter_user(kCode);
  EXPECT_EQ(run(1).reason, StopReason::kWfi);
  hart.reset();
  hart.write_csr(csr::kMtvec, kHandler);
  open_memory_for_user();
  hart.write_csr(csr::kMstatus, csr::mstatus::kTw);
  enter_user(kCode);
  run(1);
  expect_trap(2, kWfi, kCode);
}

}  // namespace
}  // namespace npuvp::riscv::test
