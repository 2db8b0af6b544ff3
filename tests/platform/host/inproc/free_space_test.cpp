// SPDX-License-Identifier: Apache-2.0
#include "platform/host/inproc/free_space.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

namespace npuvp::host {
namespace {

TEST(FreeSpace, GivesTheFirstHoleThatIsLargeEnoughAndEndsBeforeTheLimit) {
  FreeSpace space(0x1000, 0x5000, 0x1000);
  EXPECT_EQ(space.take(1), 0x1000U);
  EXPECT_EQ(space.take(0x1001), 0x2000U) << "whole units";
  EXPECT_EQ(space.take(0x1000, 0x4fff), std::nullopt);
  EXPECT_EQ(space.take(0x1000, 0x5000), 0x4000U);
  EXPECT_EQ(space.take(0x1001), std::nullopt);
  EXPECT_EQ(space.take(UINT64_MAX), std::nullopt);
  space.give_back(0x2000, 0x1001);
  EXPECT_EQ(space.take(0x2000), 0x2000U);
}

TEST(FreeSpace, JoinsNeighboursWhateverTheOrder) {
  for (const bool ascending : {true, false}) {
    FreeSpace space(0, 3, 1);
    for (uint64_t i = 0; i < 3; ++i) ASSERT_EQ(space.take(1), i);
    for (uint64_t i = 0; i < 3; ++i) space.give_back(ascending ? i : 2 - i, 1);
    EXPECT_EQ(space.take(3), 0U);
  }
}

TEST(FreeSpace, TheLastHandleGivesBackAndKeepsTheSpace) {
  auto space = std::make_shared<FreeSpace>(0, 1, 1);
  auto one = take_shared(space, 1);
  ASSERT_NE(one, nullptr);
  auto other = one;
  one.reset();
  EXPECT_EQ(take_shared(space, 1), nullptr);
  other.reset();
  other = take_shared(space, 1);
  EXPECT_NE(other, nullptr);
  space.reset();
  other.reset();
}

}  // namespace
}  // namespace npuvp::host
