// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>

#include "models/riscv/csr.h"
#include "models/riscv/hart.h"
#include "tests/models/riscv/encode.h"
#include "tests/models/riscv/flat_bus.h"

namespace npuvp::riscv::test {

inline constexpr uint64_t kCode = FlatBus::kRam;
inline constexpr uint64_t kHandler = FlatBus::kRam + 0x1000;
inline constexpr uint64_t kStub = FlatBus::kRam + 0x2000;  ///< For the fixture's own instructions.
inline constexpr uint64_t kData = FlatBus::kRam + 0x8000;

/// One hart with its program at kCode, its trap handler at kHandler (a jump to itself) and everything else in RAM zero.
class HartTest : public testing::Test {
 protected:
  explicit HartTest(bool misaligned_access = false)
      : hart(bus, {.hart_id = 3, .reset_pc = kCode, .misaligned_access = misaligned_access}) {
    hart.write_csr(csr::kMtvec, kHandler);
    bus.poke(kHandler, kJumpToSelf);
  }

  void program(std::initializer_list<uint32_t> words, uint64_t address = kCode) {
    for (const uint32_t word : words) {
      bus.poke(address, word);
      address += 4;
    }
  }

  /// Runs instructions with the bus allowed.
  RunResult run(uint64_t cycles) { return hart.run(cycles, BusAccess::kAllowed); }

  /// User mode may access everything through PMP entry 15 unless a lower one says otherwise.
  void open_memory_for_user() {
    hart.write_csr(csr::kPmpaddr15, ~0ull);
    hart.write_csr(csr::kPmpcfg2, 0x1full << 56);
  }

  /// To machine mode, if need be by way of a trap.
  void enter_machine() {
    if (hart.privilege() == Privilege::kMachine) return;
    bus.poke(kStub, kEcall);
    hart.invalidate_code();
    hart.set_pc(kStub);
    run(1);
    ASSERT_EQ(hart.privilege(), Privilege::kMachine);
  }

  /// To user mode at `pc` by way of MRET.
  void enter_user(uint64_t pc) {
    enter_machine();
    bus.poke(kStub, kMret);
    hart.invalidate_code();
    hart.write_csr(csr::kMstatus, *hart.read_csr(csr::kMstatus) & ~csr::mstatus::kMpp);
    hart.write_csr(csr::kMepc, pc);
    hart.set_pc(kStub);
    run(1);
    ASSERT_EQ(hart.privilege(), Privilege::kUser);
    ASSERT_EQ(hart.pc(), pc);
  }

  [[nodiscard]] uint64_t csr_value(unsigned number) const { return hart.read_csr(number).value_or(0xdeadull); }

  void expect_trap(uint64_t cause, uint64_t value, uint64_t pc) {
    EXPECT_EQ(hart.pc(), kHandler);
    EXPECT_EQ(csr_value(csr::kMcause), cause);
    EXPECT_EQ(csr_value(csr::kMtval), value);
    EXPECT_EQ(csr_value(csr::kMepc), pc);
    EXPECT_EQ(hart.privilege(), Privilege::kMachine);
  }

  FlatBus bus;
  Hart hart;
};

}  // namespace npuvp::riscv::test
