// SPDX-License-Identifier: Apache-2.0
// Physical memory protection (Privileged ISA 1.12, section 3.7), through the hart and its look-aside buffers.
#include <stdexcept>

#include "models/riscv/pmp.h"
#include "tests/models/riscv/hart_fixture.h"

namespace npuvp::riscv::test {
namespace {

enum class Mode : uint64_t { kTor = 1, kNa4 = 2, kNapot = 3 };
enum class Actor { kUser, kMachine, kMachineWithMprv };
enum class Kind { kLoad, kStore, kFetch };

constexpr uint64_t kRead = 1, kWrite = 2, kExecute = 4, kLock = 0x80;
constexpr uint64_t kModeShift = 3;

class Pmp : public HartTest {
 protected:
  /// Entry 1 covers [kData, kData + bytes); entry 0 is the bottom of a TOR range.
  void protect(Mode mode, uint64_t bytes, uint64_t permissions) {
    uint64_t address = kData >> 2;
    if (mode == Mode::kTor) {
      hart.write_csr(csr::kPmpaddr0, address);
      address = (kData + bytes) >> 2;
    } else if (mode == Mode::kNapot) {
      address |= bytes / 8 - 1;
    }
    hart.write_csr(csr::kPmpaddr0 + 1, address);
    hart.write_csr(csr::kPmpcfg0, (permissions | static_cast<uint64_t>(mode) << kModeShift) << 8);
  }

  /// Performs one access as `actor` and tells whether it trapped; checks cause and value of the trap.
  bool faults(Actor actor, Kind kind, uint64_t address) {
    const uint64_t code = kind == Kind::kFetch ? address : kCode;
    if (kind == Kind::kFetch) {
      bus.poke(address, kNop);
    } else {
      bus.poke(kCode, kind == Kind::kLoad ? lw(a1, a0) : sw(a1, a0));
    }
    hart.invalidate_code();
    hart.set_x(a0, address);
    enter_machine();
    if (actor == Actor::kUser) {
      enter_user(code);
    } else {
      hart.write_csr(csr::kMstatus, actor == Actor::kMachineWithMprv ? csr::mstatus::kMprv : csr::mstatus::kMpp);
      hart.set_pc(code);
    }
    run(1);
    hart.write_csr(csr::kMstatus, csr::mstatus::kMpp);  // MPRV off
    if (hart.pc() != kHandler) {
      EXPECT_EQ(hart.pc(), code + 4);
      return false;
    }
    const uint64_t cause = kind == Kind::kLoad ? 5 : kind == Kind::kStore ? 7 : 1;
    expect_trap(cause, address, code);
    return true;
  }
};

/// Every permission set x lock x matching mode x privilege x kind of access, inside the range and beside it.
TEST_F(Pmp, Matrix) {
  for (const Mode mode : {Mode::kTor, Mode::kNa4, Mode::kNapot}) {
    for (const uint64_t permissions : {0ull, 1ull, 3ull, 4ull, 5ull, 7ull}) {
      for (const uint64_t lock : {0ull, 0x80ull}) {
        hart.reset();  // the only way out of a lock
        hart.write_csr(csr::kMtvec, kHandler);
        open_memory_for_user();
        const uint64_t bytes = mode == Mode::kNa4 ? 4 : 16;
        protect(mode, bytes, permissions | lock);
        for (const Actor actor : {Actor::kUser, Actor::kMachine, Actor::kMachineWithMprv}) {
          for (const Kind kind : {Kind::kLoad, Kind::kStore, Kind::kFetch}) {
            SCOPED_TRACE(testing::Message()
                         << "mode " << static_cast<int>(mode) << " permissions " << permissions << " lock " << lock
                         << " actor " << static_cast<int>(actor) << " kind " << static_cast<int>(kind));
            const uint64_t needed = kind == Kind::kLoad ? kRead : kind == Kind::kStore ? kWrite : kExecute;
            const bool as_machine =
                actor == Actor::kMachine || (actor == Actor::kMachineWithMprv && kind == Kind::kFetch);
            const bool allowed = (as_machine && lock == 0) || (permissions & needed) != 0;
            EXPECT_EQ(faults(actor, kind, kData), !allowed);
            EXPECT_EQ(faults(actor, kind, kData + bytes - 4), !allowed);
            EXPECT_FALSE(faults(actor, kind, kData - 4));
            EXPECT_FALSE(faults(actor, kind, kData + bytes));
          }
        }
      }
    }
  }
}

TEST_F(Pmp, UserModeHasNothingWithoutAnEntryAndMachineModeAll) {
  EXPECT_FALSE(faults(Actor::kMachine, Kind::kLoad, kData));
  EXPECT_TRUE(faults(Actor::kMachineWithMprv, Kind::kLoad, kData));
  bus.poke(kCode, kNop);
  enter_user(kCode);
  run(1);
  expect_trap(1, kCode, kCode);
}

TEST_F(Pmp, WholePageRightsAreSeenThroughTheLookasideBuffers) {
  open_memory_for_user();
  protect(Mode::kNapot, 4096, kRead | kWrite | kExecute);
  EXPECT_FALSE(faults(Actor::kUser, Kind::kStore, kData));
  EXPECT_FALSE(faults(Actor::kUser, Kind::kLoad, kData));
  protect(Mode::kNapot, 4096, kRead);
  EXPECT_TRUE(faults(Actor::kUser, Kind::kStore, kData));
  EXPECT_FALSE(faults(Actor::kUser, Kind::kLoad, kData));
  EXPECT_TRUE(faults(Actor::kUser, Kind::kFetch, kData));
  EXPECT_FALSE(faults(Actor::kMachine, Kind::kStore, kData))
      << "what holds for user mode must not leak into machine mode";
  EXPECT_FALSE(faults(Actor::kMachine, Kind::kLoad, kData));
  EXPECT_TRUE(faults(Actor::kUser, Kind::kStore, kData)) << "nor the other way round";
}

TEST_F(Pmp, RightsInPartOfAPageDoNotSpreadOverIt) {
  const uint64_t opened = kData + 0x100;
  hart.write_csr(csr::kPmpaddr0, kCode >> 2 | 0x1ff);   // the code's page
  hart.write_csr(csr::kPmpaddr0 + 1, opened >> 2 | 1);  // 16 bytes
  hart.write_csr(csr::kPmpcfg0, 0x1f1f);
  for (const Kind kind : {Kind::kLoad, Kind::kStore, Kind::kFetch}) {
    EXPECT_FALSE(faults(Actor::kUser, kind, opened));
    EXPECT_TRUE(faults(Actor::kUser, kind, opened + 16));
    EXPECT_TRUE(faults(Actor::kUser, kind, opened - 4));
  }
}

TEST_F(Pmp, LowestEntryDecides) {
  open_memory_for_user();
  hart.write_csr(csr::kPmpaddr0, (kData >> 2) | 1);      // 16 bytes, no rights
  hart.write_csr(csr::kPmpaddr0 + 1, (kData >> 2) | 3);  // 32 bytes, all rights
  hart.write_csr(csr::kPmpcfg0, 0x1f18);
  EXPECT_TRUE(faults(Actor::kUser, Kind::kLoad, kData + 12));
  EXPECT_FALSE(faults(Actor::kUser, Kind::kLoad, kData + 16));
}

TEST_F(Pmp, AccessMustLieWhollyInTheMatchingEntry) {
  open_memory_for_user();
  protect(Mode::kNa4, 4, kRead | kWrite | kExecute);
  program({ld(a1, a0)});
  hart.set_x(a0, kData);
  enter_user(kCode);
  run(1);
  expect_trap(5, kData, kCode);
}

TEST_F(Pmp, FetchOfAnInstructionAcrossTheEdgeFaultsAtItsSecondHalf) {
  open_memory_for_user();
  protect(Mode::kNa4, 4, kRead);
  bus.poke<uint32_t>(kData - 2, 0x00000013);
  enter_user(kData - 2);
  run(1);
  expect_trap(1, kData, kData - 2);
}

TEST_F(Pmp, EmptyTorRangeMatchesNothing) {
  open_memory_for_user();
  hart.write_csr(csr::kPmpaddr0, (kData + 16) >> 2);
  hart.write_csr(csr::kPmpaddr0 + 1, kData >> 2);
  hart.write_csr(csr::kPmpcfg0, 0x0800);
  EXPECT_FALSE(faults(Actor::kUser, Kind::kLoad, kData + 4));
}

TEST_F(Pmp, FirstTorEntryStartsAtZero) {
  open_memory_for_user();
  hart.write_csr(csr::kPmpaddr0, kData >> 2);
  hart.write_csr(csr::kPmpcfg0, 0x0c);  // TOR, execute only: the code below kData still runs
  EXPECT_TRUE(faults(Actor::kUser, Kind::kLoad, kData - 4));
  EXPECT_FALSE(faults(Actor::kUser, Kind::kLoad, kData));
}

TEST_F(Pmp, LockedEntryKeepsItsRegistersUntilReset) {
  hart.write_csr(csr::kPmpaddr0, 0x1000);
  hart.write_csr(csr::kPmpaddr0 + 1, 0x2000);
  hart.write_csr(csr::kPmpcfg0, 0x8900);  // entry 1: locked, TOR, read
  hart.write_csr(csr::kPmpcfg0, 0);
  EXPECT_EQ(csr_value(csr::kPmpcfg0), 0x8900u);
  hart.write_csr(csr::kPmpaddr0 + 1, 5);
  EXPECT_EQ(csr_value(csr::kPmpaddr0 + 1), 0x2000u);
  hart.write_csr(csr::kPmpaddr0, 5);
  EXPECT_EQ(csr_value(csr::kPmpaddr0), 0x1000u) << "bottom of a locked TOR range";
  hart.reset();
  EXPECT_EQ(csr_value(csr::kPmpcfg0), 0u);
}

TEST_F(Pmp, RegistersAreLegalised) {
  hart.write_csr(csr::kPmpcfg0, 0x7f);
  EXPECT_EQ(csr_value(csr::kPmpcfg0), 0x1fu) << "bits 6:5 are zero";
  hart.write_csr(csr::kPmpcfg0, 0x1a);
  EXPECT_EQ(csr_value(csr::kPmpcfg0), 0x18u) << "write without read is reserved";
  hart.write_csr(csr::kPmpaddr0 + 7, ~0ull);
  EXPECT_EQ(csr_value(csr::kPmpaddr0 + 7), (1ull << 54) - 1);
  EXPECT_FALSE(hart.read_csr(0x3a1)) << "odd configuration registers do not exist in RV64";
}

TEST_F(Pmp, AtomicsNeedReadAndWrite) {
  open_memory_for_user();
  protect(Mode::kNapot, 16, kRead);
  program({amoadd_d(a1, a2, a0)});
  hart.set_x(a0, kData);
  enter_user(kCode);
  run(1);
  expect_trap(7, kData, kCode);
  EXPECT_EQ(bus.peek<uint64_t>(kData), 0u);
}

TEST_F(Pmp, DeniedRegisterAccessDoesNotReachTheBus) {
  open_memory_for_user();
  hart.write_csr(csr::kPmpaddr0, FlatBus::kDevice >> 2);
  hart.write_csr(csr::kPmpcfg0, 0x10);  // NA4, nothing
  program({lw(a1, a0)});
  hart.set_x(a0, FlatBus::kDevice);
  enter_user(kCode);
  EXPECT_EQ(hart.run(1).reason, StopReason::kBudget) << "a fault needs no bus";
  expect_trap(5, FlatBus::kDevice, kCode);
  EXPECT_TRUE(bus.accesses.empty());
}

// Section 3.7.1: with granularity 2^(G+2), NA4 is not selectable, TOR and OFF addresses read with their low G bits
// zero, NAPOT ones with their low G-1 bits set; the stored bits come back with the mode.
TEST(PmpGranularity, CoarseEntries) {
  riscv::Pmp pmp(64);  // G = 4
  pmp.write_address(0, ~0ull);
  EXPECT_EQ(pmp.read_address(0), ((1ull << 54) - 1) & ~15ull);
  pmp.write_address(0, 0x20002000 | 3);
  pmp.write_config(0, 0x18 | 7);  // NAPOT
  EXPECT_EQ(pmp.read_address(0), 0x20002000u | 7);
  EXPECT_EQ(pmp.uniform(0x80008000, 64, AccessType::kLoad, Privilege::kUser), true);
  EXPECT_FALSE(pmp.allows(0x80008040, 4, AccessType::kLoad, Privilege::kUser));
  pmp.write_config(0, 0x10 | 7);  // NA4 leaves NAPOT
  EXPECT_EQ(pmp.read_config(0), 0x18u | 7);
  pmp.write_config(0, 0x08 | 7);  // TOR
  EXPECT_EQ(pmp.read_address(0), 0x20002000u);
  EXPECT_TRUE(pmp.allows(0x80007ffc, 4, AccessType::kLoad, Privilege::kUser));
  EXPECT_FALSE(pmp.allows(0x80008000, 4, AccessType::kLoad, Privilege::kUser));
}

TEST(PmpGranularity, MustBeAPowerOfTwo) {
  EXPECT_THROW(riscv::Pmp(12), std::invalid_argument);
  EXPECT_THROW(riscv::Pmp(2), std::invalid_argument);
  EXPECT_THROW(riscv::Pmp(8192), std::invalid_argument);
}

}  // namespace
}  // namespace npuvp::riscv::test
