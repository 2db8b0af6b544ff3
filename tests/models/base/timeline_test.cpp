// SPDX-License-Identifier: Apache-2.0
#include "models/base/timeline.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace npuvp::base {
namespace {

using sc_core::SC_NS;
using sc_core::sc_time;

sc_time ns(uint64_t value) {
  return {static_cast<double>(value), SC_NS};
}

TEST(Timeline, PlacesBurstsOneAfterTheOther) {
  Timeline timeline(1e9);
  const auto first = timeline.reserve_bytes(ns(10), 5);
  const auto second = timeline.reserve_bytes(ns(12), 3);
  EXPECT_EQ(first.begin, ns(10));
  EXPECT_EQ(first.end, ns(15));
  EXPECT_EQ(second.begin, ns(15));
  EXPECT_EQ(second.end, ns(18));
  EXPECT_EQ(timeline.busy(), ns(8));
}

TEST(Timeline, FillsAGapThatIsLongEnough) {
  Timeline timeline(1e9);
  timeline.reserve(ns(0), ns(10));
  timeline.reserve(ns(100), ns(10));
  EXPECT_EQ(timeline.reserve(ns(0), ns(91)).begin, ns(110));
  EXPECT_EQ(timeline.reserve(ns(0), ns(90)).begin, ns(10));
}

TEST(Timeline, StartsInsideAGapAtTheTimeAskedFor) {
  Timeline timeline(1e9);
  timeline.reserve(ns(0), ns(10));
  timeline.reserve(ns(100), ns(10));
  EXPECT_EQ(timeline.reserve(ns(40), ns(20)).begin, ns(40));
  EXPECT_EQ(timeline.reserve(ns(30), ns(20)).begin, ns(60));
}

TEST(Timeline, RoundsDurationsUpToTheResolution) {
  EXPECT_EQ(Timeline(3e9).duration_of(1), sc_time(334, sc_core::SC_PS));
  EXPECT_EQ(Timeline(64e9).duration_of(4096), ns(64));
  EXPECT_EQ(Timeline(64e9).duration_of(0), ns(0));
}

TEST(Timeline, ForgetsEverythingAtReset) {
  Timeline timeline(1e9);
  timeline.reserve(ns(0), ns(10));
  timeline.reset();
  EXPECT_EQ(timeline.busy(), ns(0));
  EXPECT_EQ(timeline.reserve(ns(0), ns(10)).begin, ns(0));
}

TEST(Timeline, ForgetsThePastAsTimeGoesOn) {
  Timeline timeline(1e9);
  timeline.reserve(ns(0), ns(10));
  timeline.reserve(ns(15), ns(10));
  sc_core::sc_start(ns(20));
  EXPECT_EQ(timeline.reserve(ns(20), ns(5)).begin, ns(25));
}

TEST(Timeline, AgreesWithASearchNanosecondByNanosecond) {
  constexpr size_t kHorizon = 20000;
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    Timeline timeline(1e9);
    std::vector<bool> taken(kHorizon);
    for (int burst = 0; burst < 200; ++burst) {
      const uint64_t earliest = random() % 4000;
      const uint64_t duration = 1 + random() % 40;
      uint64_t begin = earliest;
      for (uint64_t free = 0, at = earliest; free < duration; ++at) {
        free = taken[at] ? 0 : free + 1;
        begin = at + 1 - free;
      }
      std::fill_n(taken.begin() + static_cast<int64_t>(begin), duration, true);
      const auto slot = timeline.reserve(ns(earliest), ns(duration));
      ASSERT_EQ(slot.begin, ns(begin)) << "round " << round << " burst " << burst;
      ASSERT_EQ(slot.end, ns(begin + duration));
    }
  }
}

}  // namespace
}  // namespace npuvp::base
