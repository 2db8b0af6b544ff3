// SPDX-License-Identifier: Apache-2.0
#include "tests/models/riscv/hart_fixture.h"

namespace npuvp::riscv::test {
namespace {

class Csr : public HartTest {};

TEST_F(Csr, IdentityAndReset) {
  EXPECT_EQ(csr_value(csr::kMisa), 0x800000000010112du);  // RV64, A C D F I M U
  EXPECT_EQ(csr_value(csr::kMhartid), 3u);
  EXPECT_EQ(csr_value(csr::kMvendorid), 0u);
  EXPECT_EQ(csr_value(csr::kMstatus), 0x200000000u);
  EXPECT_EQ(csr_value(csr::kMcountinhibit), 0u);
}

TEST_F(Csr, ReadModifyWriteGivesTheOldValue) {
  program({csrrw(a1, csr::kMscratch, a0), csrrs(a2, csr::kMscratch, t0), csrrc(a3, csr::kMscratch, t1),
           csrrs(a0, csr::kMscratch, x0)});
  hart.set_x(a0, 0xf0);
  hart.set_x(t0, 0x0f);
  hart.set_x(t1, 0x30);
  run(4);
  EXPECT_EQ(hart.x(a1), 0u);
  EXPECT_EQ(hart.x(a2), 0xf0u);
  EXPECT_EQ(hart.x(a3), 0xffu);
  EXPECT_EQ(hart.x(a0), 0xcfu);
}

TEST_F(Csr, ImmediateForms) {
  program({i_type(0x73, 5, a1, 21, csr::kMscratch), i_type(0x73, 6, a2, 10, csr::kMscratch),
           i_type(0x73, 7, a3, 1, csr::kMscratch)});
  run(3);
  EXPECT_EQ(hart.x(a2), 21u);
  EXPECT_EQ(hart.x(a3), 31u);
  EXPECT_EQ(csr_value(csr::kMscratch), 30u);
}

TEST_F(Csr, DestinationMayBeTheSource) {
  hart.write_csr(csr::kMscratch, 11);
  program({csrrw(a0, csr::kMscratch, a0)});
  hart.set_x(a0, 22);
  run(1);
  EXPECT_EQ(hart.x(a0), 11u);
  EXPECT_EQ(csr_value(csr::kMscratch), 22u);
}

TEST_F(Csr, WritingAReadOnlyRegisterIsIllegalAndReadingItWithX0IsNot) {
  program({csrrs(a0, csr::kMhartid, x0), csrrs(a0, csr::kMhartid, a1)});
  hart.set_x(a1, 0);
  run(1);
  EXPECT_EQ(hart.x(a0), 3u);
  run(1);
  expect_trap(2, csrrs(a0, csr::kMhartid, a1), kCode + 4);
}

TEST_F(Csr, RegistersTheHartLacksAreIllegal) {
  for (const uint32_t number : {0x100u /* sstatus */, 0x180u /* satp */, 0x302u /* medeleg */, 0x303u /* mideleg */,
                                0x3a1u, 0x3a4u, 0x3c0u, 0x310u /* mstatush */, 0x747u /* mseccfg */, 0x7a6u,
                                0x7b0u /* dcsr */, 0x001u /* fflags while mstatus.FS is off */, 0xc20u, 0xfffu}) {
    SCOPED_TRACE(number);
    program({csrrs(a0, number, x0)});
    hart.invalidate_code();
    hart.set_pc(kCode);
    run(1);
    expect_trap(2, csrrs(a0, number, x0), kCode);
  }
}

TEST_F(Csr, UserModeMayNotTouchMachineRegisters) {
  open_memory_for_user();
  program({csrrs(a0, csr::kMscratch, x0)});
  enter_user(kCode);
  run(1);
  expect_trap(2, csrrs(a0, csr::kMscratch, x0), kCode);
}

TEST_F(Csr, CounterEnableGatesUserMode) {
  open_memory_for_user();
  for (const uint32_t number : {0u, 1u, 2u, 3u, 6u, 7u}) {
    for (const uint64_t enable : {0ull, ~0ull}) {
      SCOPED_TRACE(testing::Message() << number << " " << enable);
      hart.write_csr(csr::kMcounteren, enable);
      program({csrrs(a0, csr::kCycle + number, x0)});
      hart.invalidate_code();
      enter_user(kCode);
      run(1);
      EXPECT_EQ(hart.pc() == kHandler, enable == 0 || number == 7);
    }
  }
}

TEST_F(Csr, WarlFields) {
  hart.write_csr(csr::kMtvec, 0x80001002);
  EXPECT_EQ(csr_value(csr::kMtvec), 0x80001000u);
  hart.write_csr(csr::kMepc, 0x1003);
  EXPECT_EQ(csr_value(csr::kMepc), 0x1002u);
  hart.write_csr(csr::kMie, ~0ull);
  EXPECT_EQ(csr_value(csr::kMie), 0x888u);
  hart.write_csr(csr::kMip, ~0ull);
  EXPECT_EQ(csr_value(csr::kMip), 0u);
  hart.write_csr(csr::kMisa, 0);
  EXPECT_EQ(csr_value(csr::kMisa), 0x800000000010112du);
  hart.write_csr(csr::kMstatus, csr::mstatus::kMpp);
  hart.write_csr(csr::kMstatus, 1ull << 11);  // supervisor: there is none
  EXPECT_EQ(csr_value(csr::kMstatus) & csr::mstatus::kMpp, csr::mstatus::kMpp);
  hart.write_csr(csr::kMcountinhibit, ~0ull);
  EXPECT_EQ(csr_value(csr::kMcountinhibit), 0x7du);
  hart.write_csr(csr::kMcounteren, ~0ull);
  EXPECT_EQ(csr_value(csr::kMcounteren), 0x7fu);
}

TEST_F(Csr, EventCountersCountWhatTheyAreToldTo) {
  hart.write_csr(csr::kMhpmevent3, 1);      // exceptions
  hart.write_csr(csr::kMhpmevent3 + 1, 3);  // bus accesses
  hart.write_csr(csr::kMhpmevent3 + 2, 99);
  EXPECT_EQ(csr_value(csr::kMhpmevent3 + 2), 0u);
  hart.write_csr(csr::kMhpmevent3 + 4, 1);  // a counter the hart lacks
  EXPECT_EQ(csr_value(csr::kMhpmevent3 + 4), 0u);
  program({lw(a0, a1), lw(a0, a1), kEcall});
  hart.set_x(a1, FlatBus::kDevice);
  run(3);
  EXPECT_EQ(csr_value(csr::kMhpmcounter3), 1u);
  EXPECT_EQ(csr_value(csr::kMhpmcounter3 + 1), 2u);
  EXPECT_EQ(csr_value(csr::kHpmcounter3 + 1), 2u);
  hart.write_csr(csr::kMcountinhibit, 1u << 4);
  hart.set_pc(kCode);
  run(1);
  EXPECT_EQ(csr_value(csr::kMhpmcounter3 + 1), 2u);
}

TEST_F(Csr, CountersCountTheInstructionsBefore) {
  program({kNop, kNop, csrrs(a0, csr::kMinstret, x0), csrrs(a1, csr::kCycle, x0)});
  run(4);
  EXPECT_EQ(hart.x(a0), 2u);
  EXPECT_EQ(hart.x(a1), 3u);
}

TEST_F(Csr, WrittenCounterIsWhatTheNextInstructionReads) {
  program({csrrw(x0, csr::kMinstret, a0), csrrs(a1, csr::kMinstret, x0), csrrs(a2, csr::kMinstret, x0)});
  hart.set_x(a0, 1000);
  run(3);
  EXPECT_EQ(hart.x(a1), 1000u);
  EXPECT_EQ(hart.x(a2), 1001u);
}

TEST_F(Csr, InhibitStopsTheCounters) {
  program({csrrw(x0, csr::kMcountinhibit, a0), csrrs(a1, csr::kMinstret, x0), kNop, csrrs(a2, csr::kMinstret, x0)});
  hart.set_x(a0, 4);
  run(4);
  EXPECT_EQ(hart.x(a2), hart.x(a1));
  EXPECT_EQ(csr_value(csr::kMcycle), 4u) << "only instret is inhibited";
  EXPECT_EQ(hart.instructions_retired(), 4u) << "the model's own count goes on";
}

TEST_F(Csr, TimeComesFromItsSource) {
  hart.set_time_source([this] { return 500 + hart.cycles_into_run(); });
  program({kNop, csrrs(a0, csr::kTime, x0)});
  run(2);
  EXPECT_EQ(hart.x(a0), 501u);
}

TEST_F(Csr, IdleCyclesCountInMcycleOnly) {
  hart.add_idle_cycles(7);
  EXPECT_EQ(csr_value(csr::kMcycle), 7u);
  EXPECT_EQ(csr_value(csr::kMinstret), 0u);
}

}  // namespace
}  // namespace npuvp::riscv::test
