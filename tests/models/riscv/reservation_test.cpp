// SPDX-License-Identifier: Apache-2.0
// LR/SC of two harts on one memory.
#include <gtest/gtest.h>

#include "models/riscv/hart.h"
#include "models/riscv/reservations.h"
#include "tests/models/riscv/encode.h"
#include "tests/models/riscv/flat_bus.h"

namespace npuvp::riscv::test {
namespace {

constexpr uint64_t kFirstCode = FlatBus::kRam, kSecondCode = FlatBus::kRam + 0x1000, kCell = FlatBus::kRam + 0x8000;

class ReservationsOfTwoHarts : public testing::Test {
 protected:
  ReservationsOfTwoHarts() {
    for (Hart* const hart : {&first, &second}) {
      hart->share_reservations(reservations);
      hart->set_x(a0, kCell);
      hart->set_x(a2, 9);
    }
    uint64_t address = kFirstCode;
    for (const uint32_t word : {lr_d(a1, a0), sc_d(a3, a2, a0)}) bus.poke(address, word), address += 4;
    bus.poke<uint64_t>(kCell, 7);
  }

  void run_second(std::initializer_list<uint32_t> words) {
    uint64_t address = kSecondCode;
    for (const uint32_t word : words) bus.poke(address, word), address += 4;
    second.set_pc(kSecondCode);
    second.invalidate_code();
    second.run(words.size());
  }
  /// Whether the first hart's SC fails.
  [[nodiscard]] bool conditional_fails() {
    first.run(1);
    return first.x(a3) != 0;
  }

  FlatBus bus;
  Reservations reservations;
  Hart first{bus, {.hart_id = 0, .reset_pc = kFirstCode}};
  Hart second{bus, {.hart_id = 1, .reset_pc = kSecondCode}};
};

TEST_F(ReservationsOfTwoHarts, SucceedWhenNobodyStores) {
  first.run(1);
  run_second({ld(a1, a0), kNop});
  EXPECT_FALSE(conditional_fails());
  EXPECT_EQ(bus.peek<uint64_t>(kCell), 9u);
}

/// The classic ABA: the cell holds the old value again, and still the SC must fail.
TEST_F(ReservationsOfTwoHarts, AreLostThoughTheOldValueComesBack) {
  run_second({sd(a2, a0)});  // the page is in the second hart's store buffer from here on
  bus.poke<uint64_t>(kCell, 7);
  first.run(1);
  second.set_x(t0, 7);
  run_second({sd(a2, a0), sd(t0, a0)});
  ASSERT_EQ(bus.peek<uint64_t>(kCell), 7u);
  EXPECT_TRUE(conditional_fails());
  EXPECT_EQ(bus.peek<uint64_t>(kCell), 7u);
}

TEST_F(ReservationsOfTwoHarts, AreLostToAStoreOfTheSameValue) {
  first.run(1);
  second.set_x(t0, 7);
  run_second({sd(t0, a0)});
  EXPECT_TRUE(conditional_fails());
}

TEST_F(ReservationsOfTwoHarts, AreLostToPartsOfTheCellAndToAtomics) {
  for (const uint32_t store : {sb(x0, a0, 6), amoadd_d(t1, x0, a0), sw(x0, a0, 4)}) {
    first.set_pc(kFirstCode);
    first.run(1);
    run_second({store});
    EXPECT_TRUE(conditional_fails());
  }
}

TEST_F(ReservationsOfTwoHarts, SurviveStoresToOtherBlocks) {
  first.run(1);
  run_second({sd(a2, a0, 64), sd(a2, a0, -8), sd(a2, a0, 1024)});
  EXPECT_FALSE(conditional_fails());
}

TEST_F(ReservationsOfTwoHarts, OneOfTwoConditionalsWins) {
  first.run(1);
  run_second({lr_d(a1, a0), sc_d(a3, a2, a0)});
  EXPECT_EQ(second.x(a3), 0u);
  EXPECT_TRUE(conditional_fails());
}

}  // namespace
}  // namespace npuvp::riscv::test
