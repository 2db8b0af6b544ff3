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

TEST(Timeline, PiecesFillEveryGap) {
  Timeline timeline(1e9);
  timeline.reserve(ns(10), ns(10));
  timeline.reserve(ns(25), ns(10));
  const auto burst = timeline.reserve_pieces(ns(5), ns(12));  // 5 to 10, 20 to 25, 35 to 37
  EXPECT_EQ(burst.begin, ns(5));
  EXPECT_EQ(burst.end, ns(37));
  EXPECT_EQ(timeline.busy(), ns(32));
  EXPECT_EQ(timeline.reserve(ns(0), ns(6)).begin, ns(37));
  EXPECT_EQ(timeline.reserve_pieces(ns(0), ns(5)).end, ns(5)) << "exactly what is left";
  EXPECT_EQ(timeline.reserve_pieces(ns(0), ns(1)).begin, ns(43));
}

// Against an occupancy of single nanoseconds.
TEST(Timeline, PiecesAndWholeBurstsNeverMeetAndWasteNothing) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    Timeline timeline(1e9);
    std::vector<bool> taken(4000);
    for (int i = 0; i < 60; ++i) {
      const uint64_t earliest = random() % 500;
      const uint64_t duration = 1 + random() % 20;
      const bool pieces = random() % 2 == 0;
      uint64_t begin = earliest;
      uint64_t end = earliest;
      if (pieces) {
        while (taken[begin]) ++begin;
        for (uint64_t left = duration, at = begin; left > 0; ++at) {
          if (taken[at]) continue;
          taken[at] = true;
          --left;
          end = at + 1;
        }
      } else {
        for (uint64_t run = 0; run < duration; ++end) run = taken[end] ? 0 : run + 1;
        begin = end - duration;
        for (uint64_t at = begin; at < end; ++at) taken[at] = true;
      }
      const auto slot =
          pieces ? timeline.reserve_pieces(ns(earliest), ns(duration)) : timeline.reserve(ns(earliest), ns(duration));
      ASSERT_EQ(slot.begin, ns(begin)) << round << ' ' << i;
      ASSERT_EQ(slot.end, ns(end)) << round << ' ' << i;
    }
  }
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
