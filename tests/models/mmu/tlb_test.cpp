// SPDX-License-Identifier: Apache-2.0
#include "models/mmu/tlb.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/models/mmu/mmu_bench.h"

namespace npuvp::mmu {
namespace {

Page small(uint64_t number) {
  return {number * 0x10000, 0, 0x10000, true, true};
}

TEST(Tlb, ReplacesTheLeastRecentlyUsedOfItsSet) {
  Tlb tlb(8, 2);  // 4 sets
  tlb.insert(1, small(0), {});
  tlb.insert(1, small(4), {});
  EXPECT_NE(tlb.find(1, 0), nullptr);
  tlb.insert(1, small(8), {});
  EXPECT_NE(tlb.find(1, 0), nullptr);
  EXPECT_EQ(tlb.find(1, 4 * 0x10000), nullptr);
  EXPECT_NE(tlb.find(1, 8 * 0x10000 + 0xffff), nullptr);
  tlb.insert(1, small(1), {});  // another set
  EXPECT_NE(tlb.find(1, 0), nullptr);
}

TEST(Tlb, KnowsAddressSpacesApart) {
  Tlb tlb(8, 2);
  tlb.insert(1, small(0), {});
  EXPECT_EQ(tlb.find(2, 0), nullptr);
  tlb.insert(2, small(0), {});
  tlb.invalidate(1);
  EXPECT_EQ(tlb.find(1, 0), nullptr);
  EXPECT_NE(tlb.find(2, 0), nullptr);
}

TEST(Tlb, RefusesSetsThatAreNotWhole) {
  EXPECT_THROW(Tlb(8, 3), std::invalid_argument);
  EXPECT_THROW(Tlb(0, 1), std::invalid_argument);
  EXPECT_THROW(Tlb(8, 0), std::invalid_argument);
}

// Counts by hand. TLB of 4 entries, 2 ways: sets 0 and 1; small page n of the window (which begins at page 0x100000)
// goes to set n mod 2.
TEST(TlbCounters, AreThoseOfAHandCalculation) {
  MmuBench bench(4, 2);
  bench.entry(0, 0, (kDram + 0x1000) | kTable | kValid);
  bench.entry(0x1000, 0, (kDram + 0x2000) | kTable | kValid);
  for (uint64_t page = 0; page < 8; ++page) bench.entry(0x2000, page, (kDram + (page + 16) * 0x10000) | kRead | kValid);
  bench.set_root(1, 0);
  bench.engine.port.sideband().asid = 1;
  // page:      0 2 0 4 2 0 1 1 3 1   set 0 holds {0,2}, then 4 replaces 2, 2 replaces 0, 0 replaces 4; set 1 {1,3}
  // miss:      m m h m m m m h m h
  const uint64_t pages[] = {0, 2, 0, 4, 2, 0, 1, 1, 3, 1};
  for (const uint64_t page : pages) EXPECT_EQ(bench.read(kDram + page * 0x10000, 64), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(bench.counter(MMU_HITS), 3U);
  EXPECT_EQ(bench.counter(MMU_MISSES), 7U);
  EXPECT_EQ(bench.counter(MMU_WALK_READS), 21U);
  // Two pages in one access are two look-ups: page 1 is there, page 2 too (set 0 holds 0 and 2).
  EXPECT_EQ(bench.read(kDram + 0x1ffc0, 128), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(bench.counter(MMU_HITS), 5U);
}

}  // namespace
}  // namespace npuvp::mmu
