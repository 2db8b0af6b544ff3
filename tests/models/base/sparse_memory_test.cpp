// SPDX-License-Identifier: Apache-2.0
#include "models/base/sparse_memory.h"

#include <gtest/gtest.h>

#include <limits>

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
