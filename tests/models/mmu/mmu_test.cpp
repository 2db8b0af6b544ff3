// SPDX-License-Identifier: Apache-2.0
#include "models/mmu/mmu.h"

#include <gtest/gtest.h>

#include "tests/models/mmu/mmu_bench.h"

namespace npuvp::mmu {
namespace {

using test::ns;

struct MmuTest : testing::Test, MmuBench {};

TEST_F(MmuTest, AddressSpaceZeroIsNotTranslatedAndCostsNothing) {
  build(1);
  engine.port.sideband().asid = 0;
  memory.latency = ns(10);
  sc_core::sc_time delay = ns(1);
  EXPECT_EQ(read(kDram + 0x123, 64, &delay), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(delay, ns(11));
  EXPECT_EQ(memory.log.back().address, kDram + 0x123);
  EXPECT_TRUE(tables.log.empty());
  EXPECT_EQ(counter(MMU_MISSES) + counter(MMU_HITS), 0U);
}

TEST_F(MmuTest, AddressesOutsideOfTheWindowAreNotTranslated) {
  build(1);
  memory.index_of = [](uint64_t) { return 0; };
  for (const uint64_t address :
       {uint64_t{NPU_MAP_SHARED}, uint64_t{NPU_MAP_HOST}, kDram - 64, kDram + (uint64_t{64} << 30)}) {
    EXPECT_EQ(read(address, 64), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(memory.log.back().address, address);
  }
}

TEST_F(MmuTest, ALargePageTakesTwoReadsAndASmallOneThree) {
  build(1);
  EXPECT_EQ(read(kDram + 0x12345, 64), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(memory.log.back().address, kDram + 4 * kMib + 0x12345);
  EXPECT_EQ(counter(MMU_WALK_READS), 2U);
  EXPECT_EQ(read(kDram + 2 * kMib + 0x10, 64), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(memory.log.back().address, kDram + 1 * kMib + 0x10);
  EXPECT_EQ(counter(MMU_WALK_READS), 5U);
  ASSERT_EQ(tables.log.size(), 5U);
  EXPECT_EQ(tables.log[3].address, kDram + 0x1008);
  EXPECT_EQ(tables.log[3].bytes, 8U);
}

TEST_F(MmuTest, TimeIsTheLookUpAndTheWalksReads) {
  build(1);
  tables.latency = ns(50);
  memory.latency = ns(10);
  sc_core::sc_time delay = ns(5);
  EXPECT_EQ(read(kDram, 64, &delay), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(delay, ns(5 + 2 + 2 * 50 + 10));
  // The entry is there at 107 ns: an access that arrives before waits, a later one does not.
  delay = ns(20);
  EXPECT_EQ(read(kDram + 64, 64, &delay), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(delay, ns(107 + 10));
  delay = ns(200);
  EXPECT_EQ(read(kDram + 64, 64, &delay), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(delay, ns(200 + 2 + 10));
  EXPECT_EQ(counter(MMU_HITS), 2U);
  EXPECT_EQ(counter(MMU_MISSES), 1U);
}

TEST_F(MmuTest, AnAccessAcrossPagesIsCutAndKeepsItsBytesInOrder) {
  build(1);
  entry(0x2000, 1, (kDram + 3 * kMib) | kRead | kValid);
  const uint64_t border = kDram + 2 * kMib + 0x10000;
  for (uint64_t i = 0; i < 100; ++i) {
    memory.put(kDram + 1 * kMib + 0x10000 - 100 + i, static_cast<uint8_t>(i));
    memory.put(kDram + 3 * kMib + i, static_cast<uint8_t>(100 + i));
  }
  std::vector<uint8_t> data(200);
  sc_core::sc_time delay;
  ASSERT_EQ(engine.port.read(border - 100, data, delay), tlm::TLM_OK_RESPONSE);
  for (size_t i = 0; i < data.size(); ++i) EXPECT_EQ(data[i], i);
  ASSERT_EQ(memory.log.size(), 2U);
  EXPECT_EQ(memory.log[0].bytes, 100U);
  EXPECT_EQ(memory.log[1].address, kDram + 3 * kMib);
  EXPECT_EQ(memory.log[0].arrival, ns(2));
  EXPECT_EQ(memory.log[1].arrival, ns(4));
}

TEST_F(MmuTest, AnAccessThatIsRefusedMovesNothing) {
  build(1);
  // The first page may be written, the second is not mapped.
  entry(0x2000, 2, 0);
  EXPECT_EQ(write(kDram + 2 * kMib + 0x20000 - 64, 128), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_TRUE(memory.log.empty());
  EXPECT_TRUE(engine.port.sideband().translation_fault);
  EXPECT_EQ(hart.read<uint64_t>(MMU_FAULT_ADDRESS), kDram + 2 * kMib + 0x20000);
  EXPECT_EQ(take_reason(), uint32_t{NPU_MMU_FAULT_UNMAPPED});
  EXPECT_EQ(write(kDram + 2 * kMib + 0x10000, 64), tlm::TLM_OK_RESPONSE);
  EXPECT_FALSE(engine.port.sideband().translation_fault);
}

TEST_F(MmuTest, PermissionsHoldOnMissesAndHits) {
  build(1);
  const uint64_t read_only = kDram + 2 * kMib;
  const uint64_t write_only = read_only + 0x10000;
  for (int pass = 0; pass < 2; ++pass) {
    EXPECT_EQ(write(read_only, 8), tlm::TLM_GENERIC_ERROR_RESPONSE);
    EXPECT_EQ(take_reason(), uint32_t{NPU_MMU_FAULT_PERMISSION});
    EXPECT_EQ(read(write_only, 8), tlm::TLM_GENERIC_ERROR_RESPONSE);
    EXPECT_EQ(take_reason(), uint32_t{NPU_MMU_FAULT_PERMISSION});
    EXPECT_EQ(read(read_only, 8), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(write(write_only, 8), tlm::TLM_OK_RESPONSE);
  }
  EXPECT_EQ(counter(MMU_FAULTS), 4U);
}

TEST_F(MmuTest, AMalformedEntryIsAFaultAtEveryLevel) {
  build(1);
  const auto refused = [&](uint64_t table, uint64_t index, uint64_t value, uint64_t address) {
    uint64_t before = 0;
    std::memcpy(&before, tables.data.data() + table + index * 8, sizeof before);
    entry(table, index, value);
    EXPECT_EQ(read(address, 8), tlm::TLM_GENERIC_ERROR_RESPONSE) << std::hex << value;
    EXPECT_EQ(take_reason(), uint32_t{NPU_MMU_FAULT_BAD_ENTRY}) << std::hex << value;
    entry(table, index, before);
    hart.write(MMU_INVALIDATE, uint32_t{MMU_INVALIDATE_ALL_MASK});
  };
  const uint64_t small = kDram + 2 * kMib;
  refused(0, 0, (kDram + 0x1000) | kRead | kValid, kDram);                // a page of 1 GiB
  refused(0, 0, (kDram + 0x1000) | kTable | kRead | kValid, kDram);       // rights of a table
  refused(0, 0, (kDram + 0x1100) | kTable | kValid, kDram);               // a directory has 4 KiB
  refused(0, 0, (kDram + kDramBytes) | kTable | kValid, kDram);           // beyond the DRAM
  refused(0, 0, 0x10000000 | kTable | kValid, kDram);                     // in registers
  refused(0x1000, 0, (kDram + 4 * kMib) | 0x10 | kRead | kValid, kDram);  // reserved
  refused(0x1000, 0, (kDram + 4 * kMib) | 1ULL << 52 | kRead | kValid, kDram);
  refused(0x1000, 0, (kDram + 3 * kMib) | kRead | kValid, kDram);  // not aligned
  refused(0x1000, 0, (kDram + kDramBytes) | kRead | kValid, kDram);
  refused(0x2000, 0, (kDram + 0x3000) | kTable | kValid, small);  // a fourth level
  refused(0x2000, 0, (kDram + 0x8000) | kRead | kValid, small);
  refused(0x2000, 0, uint64_t{NPU_MAP_HOST} | kRead | kValid, small);
  EXPECT_EQ(read(kDram, 8), tlm::TLM_OK_RESPONSE);
}

TEST_F(MmuTest, ATableThatCannotBeReadIsAFault) {
  build(1);
  tables.failing = kDram + 0x1000;
  EXPECT_EQ(read(kDram, 8), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_EQ(take_reason(), uint32_t{NPU_MMU_FAULT_WALK});
  tables.failing.reset();
  tables.poisoned = kDram + 0x1000;
  EXPECT_EQ(read(kDram, 8), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_EQ(take_reason(), uint32_t{NPU_MMU_FAULT_WALK});
  tables.poisoned.reset();
  EXPECT_EQ(read(kDram, 8), tlm::TLM_OK_RESPONSE);
}

TEST_F(MmuTest, AnAddressSpaceNeedsARoot) {
  build(1);
  for (const unsigned asid : {2U, 63U, 64U, 300U}) {
    engine.port.sideband().asid = static_cast<uint16_t>(asid);
    EXPECT_EQ(read(kDram, 8), tlm::TLM_GENERIC_ERROR_RESPONSE);
    EXPECT_EQ(hart.read<uint32_t>(MMU_FAULT_INFO) & MMU_FAULT_INFO_ASID_MASK, std::min(asid, 255U));
    EXPECT_EQ(take_reason(), uint32_t{NPU_MMU_FAULT_NO_SPACE});
  }
}

TEST_F(MmuTest, AnAccessMayNotLeaveTheWindow) {
  build(1);
  const uint64_t last = kDram + (64ULL << 30) - 0x10000;
  entry(0, 63, (kDram + 0x3000) | kTable | kValid);
  entry(0x3000, 511, (kDram + 0x4000) | kTable | kValid);
  entry(0x4000, 31, (kDram + 1 * kMib) | kRead | kValid);
  EXPECT_EQ(read(last + 0xff00, 256), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(read(last + 0xff00, 257), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_EQ(take_reason(), uint32_t{NPU_MMU_FAULT_RANGE});
}

TEST_F(MmuTest, TheRecordSaysWhoWhatAndWhere) {
  build(7);
  hart.write(MMU_IRQ_ENABLE, uint32_t{1});
  other.port.sideband().asid = 7;
  other.port.sideband().origin = {base::Origin::Kind::kEngine, 5, 0};
  other.port.sideband().context = 0x1234;
  other.port.sideband().function = 3;
  EXPECT_FALSE(interrupt);
  other.write(kDram + 6 * kMib + 4, uint32_t{0});
  EXPECT_TRUE(interrupt);
  EXPECT_EQ(hart.read<uint32_t>(MMU_FAULT_INFO),
            7U | 1U << 8 | uint32_t{NPU_MMU_FAULT_UNMAPPED} << 12 | 1U << 16 | 5U << 24);
  EXPECT_EQ(hart.read<uint64_t>(MMU_FAULT_ADDRESS), kDram + 6 * kMib + 4);
  EXPECT_EQ(hart.read<uint32_t>(MMU_FAULT_OWNER), 0x1234U | 3U << 16);
  hart.write(MMU_FAULT_POP, uint32_t{1});
  EXPECT_FALSE(interrupt);
  EXPECT_EQ(hart.read<uint32_t>(MMU_FAULT_INFO), 0U);
}

TEST_F(MmuTest, TheFifoKeepsTheFirstSixteen) {
  build(1);
  for (uint64_t i = 0; i < 18; ++i) EXPECT_NE(read(kDram + 8 * kMib + i * 8, 8), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(faults(), 16U);
  EXPECT_NE(hart.read<uint32_t>(MMU_FAULT_STATUS) & MMU_FAULT_STATUS_OVERFLOW_MASK, 0U);
  EXPECT_EQ(hart.read<uint64_t>(MMU_FAULT_ADDRESS), kDram + 8 * kMib);
  EXPECT_EQ(counter(MMU_FAULTS), 18U);
  hart.write(MMU_FAULT_STATUS, uint32_t{MMU_FAULT_STATUS_OVERFLOW_MASK});
  EXPECT_EQ(hart.read<uint32_t>(MMU_FAULT_STATUS), 16U);
  for (int i = 0; i < 20; ++i) hart.write(MMU_FAULT_POP, uint32_t{1});
  EXPECT_EQ(faults(), 0U);
}

TEST_F(MmuTest, InvalidationsReachWhatTheyNameOnly) {
  build(1);
  set_root(2, 0);
  const auto misses_of_all = [&] {
    const uint64_t before = counter(MMU_MISSES);
    for (const uint16_t asid : {uint16_t{1}, uint16_t{2}}) {
      engine.port.sideband().asid = asid;
      EXPECT_EQ(read(kDram, 8), tlm::TLM_OK_RESPONSE);
      EXPECT_EQ(read(kDram + 2 * kMib, 8), tlm::TLM_OK_RESPONSE);
    }
    return counter(MMU_MISSES) - before;
  };
  EXPECT_EQ(misses_of_all(), 4U);
  EXPECT_EQ(misses_of_all(), 0U);
  hart.write(MMU_INVALIDATE, uint32_t{MMU_INVALIDATE_ASID_MASK} | 2U << MMU_INVALIDATE_ID_SHIFT);
  EXPECT_EQ(misses_of_all(), 2U);
  hart.write(MMU_INVALIDATE_ADDRESS, kDram + 0x1fffff);
  hart.write(MMU_INVALIDATE, uint32_t{MMU_INVALIDATE_ADDRESS_MASK} | 1U << MMU_INVALIDATE_ID_SHIFT);
  EXPECT_EQ(misses_of_all(), 1U);
  hart.write(MMU_INVALIDATE, uint32_t{MMU_INVALIDATE_ALL_MASK});
  EXPECT_EQ(misses_of_all(), 4U);
}

TEST_F(MmuTest, AStaleEntryLivesUntilItIsInvalidated) {
  build(1);
  EXPECT_EQ(read(kDram, 8), tlm::TLM_OK_RESPONSE);
  entry(0x1000, 0, 0);
  EXPECT_EQ(read(kDram, 8), tlm::TLM_OK_RESPONSE);
  hart.write(MMU_INVALIDATE, uint32_t{MMU_INVALIDATE_ALL_MASK});
  EXPECT_EQ(read(kDram, 8), tlm::TLM_GENERIC_ERROR_RESPONSE);
}

TEST_F(MmuTest, AnErrorOfTheMemoryIsPassedOnAndNoTranslationFault) {
  build(1);
  memory.failing = kDram + 4 * kMib;
  EXPECT_EQ(read(kDram, 8), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_FALSE(engine.port.sideband().translation_fault);
  EXPECT_EQ(counter(MMU_FAULTS), 0U);
  memory.failing.reset();
  memory.poisoned = kDram + 4 * kMib;
  EXPECT_EQ(read(kDram, 8), tlm::TLM_OK_RESPONSE);
  EXPECT_TRUE(engine.port.sideband().poison);
}

TEST_F(MmuTest, ResetLeavesNoAddressSpaces) {
  build(1);
  hart.write(MMU_IRQ_ENABLE, uint32_t{1});
  EXPECT_EQ(read(kDram, 8), tlm::TLM_OK_RESPONSE);
  EXPECT_NE(read(kDram + 8 * kMib, 8), tlm::TLM_OK_RESPONSE);
  mmu.reset();
  EXPECT_FALSE(interrupt);
  EXPECT_EQ(faults(), 0U);
  EXPECT_EQ(counter(MMU_MISSES), 0U);
  EXPECT_EQ(read(kDram, 8), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_EQ(take_reason(), uint32_t{NPU_MMU_FAULT_NO_SPACE});
}

TEST_F(MmuTest, ARootForAddressSpaceZeroIsReported) {
  hart.write(MMU_ROOT(0), kDram + kValid);
  EXPECT_EQ(environment.diagnostics().misuse_count(), 1U);
  EXPECT_EQ(hart.read<uint64_t>(MMU_ROOT(0)), 0U);
}

TEST_F(MmuTest, DebuggersSeeThroughTheTablesWithoutATrace) {
  build(1);
  memory.put(4 * kMib + kDram + 0x80, uint64_t{0x1122334455667788});
  std::array<uint8_t, 8> data{};
  memory.index_of = [](uint64_t address) { return address - kDram; };
  // The test memory's debug access takes offsets as addresses.
  EXPECT_EQ(engine.port.debug_read(kDram + 8 * kMib, data), 0U);
  EXPECT_EQ(counter(MMU_MISSES) + counter(MMU_FAULTS) + counter(MMU_WALK_READS), 0U);
}

}  // namespace
}  // namespace npuvp::mmu
