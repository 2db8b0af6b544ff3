// SPDX-License-Identifier: Apache-2.0
#include "models/base/sparse_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace npuvp::base {
namespace {

TEST(SparseMemory, CostsTheHostOnlyWhatIsTouched) {
  SparseMemory memory(16ULL << 30);
  EXPECT_EQ(memory.resident_bytes(), 0U);
  memory.data()[0] = 1;
  memory.data()[(16ULL << 30) - 1] = 2;
  EXPECT_GT(memory.resident_bytes(), 0U);
  EXPECT_LE(memory.resident_bytes(), 4ULL << 20);
}

TEST(SparseMemory, ReadsZeroUntilWrittenAndAfterClear) {
  SparseMemory memory(1 << 20);
  EXPECT_EQ(memory.span(5000, 1)[0], 0);
  memory.span(5000, 1)[0] = 7;
  EXPECT_EQ(memory.span(5000, 1)[0], 7);
  memory.clear();
  EXPECT_EQ(memory.span(5000, 1)[0], 0);
}

TEST(SparseMemory, ClearsARangeAndNothingBesideIt) {
  constexpr uint64_t kBytes = 1 << 16;
  for (const auto& [offset, bytes] : {std::pair<uint64_t, uint64_t>{0, kBytes},
                                      {100, 50},
                                      {4090, 12},
                                      {4096, 8192},
                                      {5000, 20000},
                                      {8191, 4098},
                                      {300, 0}}) {
    SparseMemory memory(kBytes);
    std::fill(memory.data(), memory.data() + kBytes, uint8_t{7});
    memory.clear(offset, bytes);
    for (uint64_t at = 0; at < kBytes; ++at) {
      ASSERT_EQ(memory.data()[at], at >= offset && at - offset < bytes ? 0 : 7) << at << " of " << offset;
    }
  }
}

TEST(SparseMemory, ClearingGivesPagesBack) {
  SparseMemory memory(64 << 20);
  std::fill(memory.data(), memory.data() + (32 << 20), uint8_t{7});
  EXPECT_GE(memory.resident_bytes(), 32U << 20);
  memory.clear(0, 64 << 20);
  EXPECT_LT(memory.resident_bytes(), 4U << 20);
}

TEST(SparseMemory, ContainsDoesNotOverflow) {
  const SparseMemory memory(4096);
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  EXPECT_TRUE(memory.contains(0, 4096));
  EXPECT_TRUE(memory.contains(4096, 0));
  EXPECT_TRUE(memory.contains(4095, 1));
  EXPECT_FALSE(memory.contains(4095, 2));
  EXPECT_FALSE(memory.contains(4097, 0));
  EXPECT_FALSE(memory.contains(1, kMax));
  EXPECT_FALSE(memory.contains(kMax, 1));
}

}  // namespace
}  // namespace npuvp::base
