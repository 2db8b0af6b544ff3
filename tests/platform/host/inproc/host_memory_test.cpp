// SPDX-License-Identifier: Apache-2.0
#include "platform/host/inproc/host_memory.h"

#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <random>
#include <vector>

namespace npuvp::host {
namespace {

constexpr uint64_t kBase = 0x1'0000'0000;
constexpr uint64_t kPage = HostMemory::kPageBytes;

TEST(HostMemory, BlocksArePagesAlignedAndZeroed) {
  HostMemory memory(kBase, 16 * kPage);
  auto block = memory.allocate(5000);
  EXPECT_EQ(block.bus_address % kPage, 0U);
  EXPECT_EQ(block.bytes.size(), 5000U);
  block.bytes[4999] = 7;
  memory.free(block);
  EXPECT_EQ(memory.allocate(5000).bytes[4999], 0);
}

TEST(HostMemory, AccessesOutsideAreRefused) {
  HostMemory memory(kBase, 2 * kPage);
  EXPECT_EQ(memory.at(kBase, 2 * kPage).size(), 2 * kPage);
  EXPECT_TRUE(memory.at(kBase - 1, 2).empty());
  EXPECT_TRUE(memory.at(kBase + 2 * kPage - 1, 2).empty());
  EXPECT_TRUE(memory.at(~0ULL, 2).empty());
  EXPECT_TRUE(memory.at(kBase, ~0ULL).empty());
}

TEST(HostMemory, ThrowsWhenFullAndRecovers) {
  HostMemory memory(kBase, 2 * kPage);
  const auto all = memory.allocate(2 * kPage);
  EXPECT_THROW((void)memory.allocate(1), std::bad_alloc);
  EXPECT_THROW((void)memory.allocate(~0ULL), std::bad_alloc);
  memory.free(all);
  EXPECT_NO_THROW((void)memory.allocate(2 * kPage));
}

TEST(HostMemory, RandomUseNeverOverlapsAndLeavesNoHoles) {
  constexpr uint64_t kPages = 64;
  HostMemory memory(kBase, kPages * kPage);
  std::mt19937 random(1);
  std::vector<HostMemory::Block> live;
  for (int step = 0; step < 5000; ++step) {
    if (!live.empty() && random() % 2 == 0) {
      const size_t at = random() % live.size();
      memory.free(live[at]);
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(at));
      continue;
    }
    try {
      const auto block = memory.allocate(1 + random() % (6 * kPage));
      for (const auto& other : live) {
        const bool apart = block.bus_address + block.bytes.size() <= other.bus_address ||
                           other.bus_address + other.bytes.size() <= block.bus_address;
        ASSERT_TRUE(apart);
      }
      live.push_back(block);
    } catch (const std::bad_alloc&) {
    }
  }
  for (const auto& block : live) memory.free(block);
  EXPECT_NO_THROW((void)memory.allocate(kPages * kPage));  // all of it in one piece again
}

}  // namespace
}  // namespace npuvp::host
