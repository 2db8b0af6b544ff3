// SPDX-License-Identifier: Apache-2.0
#include "models/dram/annotated_channel.h"

#include <gtest/gtest.h>

#include "tests/models/dram/parts.h"
#include "tests/models/dram/rule_checker.h"

namespace npuvp::dram {
namespace {

/// `count` transactions of a row, bank groups alternating, as a burst of 4 KiB leaves them in a channel.
std::vector<Request> burst(uint32_t number, uint32_t count = 16, bool write = false) {
  std::vector<Request> requests;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t at = number * count + i;
    requests.push_back({.where = {.row = at / 512 / 4,
                                  .column = at / 4 % 128,
                                  .bank = static_cast<uint16_t>(at / 512 % 4),
                                  .bank_group = static_cast<uint16_t>(at % 4)},
                        .write = write,
                        .tag = 0});
  }
  return requests;
}

const Policy kNoRefresh{.refresh = RefreshPolicy::kNone};

TEST(AnnotatedChannel, AReadEndsWithItsLastData) {
  AnnotatedChannel channel(support::gddr6(), kNoRefresh);
  // Entered at 0, activated at 1, read at 36.
  EXPECT_EQ(channel.access(0, 0, burst(0, 1)), 36 + 30);
  // Row open: entered at 1000, read at 1001.
  EXPECT_EQ(channel.access(1000, 1000, burst(0, 1)), 1001 + 30);
}

TEST(AnnotatedChannel, AWriteEndsWithItsPlaceInTheQueue) {
  AnnotatedChannel channel(support::gddr6(), kNoRefresh);
  EXPECT_EQ(channel.access(0, 0, burst(0, 16, true)), 16);
  // 32 entries: the third burst waits until the first ones are written.
  EXPECT_EQ(channel.access(0, 16, burst(1, 16, true)), 32);
  EXPECT_GT(channel.access(0, 32, burst(2, 16, true)), 48);
}

TEST(AnnotatedChannel, AnEarlierArrivalThatIsCalledLaterDoesNotWait) {
  AnnotatedChannel alone(support::gddr6(), kNoRefresh);
  const Tick expected = alone.access(0, 100, burst(0));
  AnnotatedChannel channel(support::gddr6(), kNoRefresh);
  (void)channel.access(0, 50'000, burst(64, 16, true));
  EXPECT_EQ(channel.access(0, 100, burst(0)), expected);
}

TEST(AnnotatedChannel, TheOrderOfCallsDoesNotChangeTheTraffic) {
  AnnotatedChannel in_order(support::gddr6(), {});
  AnnotatedChannel reversed(support::gddr6(), {});
  Tick last = 0;
  for (uint32_t i = 0; i < 40; ++i) last = in_order.access(0, i * 100, burst(i * 7));
  for (uint32_t i = 40; i-- > 0;) {
    const Tick end = reversed.access(0, i * 100, burst(i * 7));
    if (i == 39) {
      EXPECT_LE(end, last);
    }
  }
  const auto a = in_order.counters();
  const auto b = reversed.counters();
  EXPECT_EQ(a.hits, b.hits);
  EXPECT_EQ(a.activates, b.activates);
  EXPECT_EQ(a.reads, 40U * 16);
}

/// As a DMA channel does: 16 bursts under way, the next one when the oldest ends.
struct Stream {
  Tick run(AnnotatedChannel& channel, uint32_t bursts, bool advance) {
    std::deque<Tick> ends;
    Tick now = 0;
    for (uint32_t i = 0; i < bursts; ++i) {
      if (ends.size() == 16) {
        now = std::max(now, ends.front());
        ends.pop_front();
      }
      ends.push_back(channel.access(advance ? now : 0, now, burst(i)));
    }
    return *std::max_element(ends.begin(), ends.end());
  }
};

TEST(AnnotatedChannel, AStreamReachesTheBandwidthOfTheReferenceRun) {
  AnnotatedChannel channel(support::gddr6(), {});
  const Tick ticks = Stream{}.run(channel, 4000, true);
  // 91.4 % of a transaction every 2 clocks: Ramulator 2, sequential reads, bank groups alternating.
  EXPECT_NEAR(4000.0 * 16 * 2 / static_cast<double>(ticks), 0.914, 0.914 * 0.03);
}

TEST(AnnotatedChannel, WhatIsKnownOfThePresentDoesNotChangeAnswers) {
  AnnotatedChannel one(support::gddr6(), {});
  AnnotatedChannel other(support::gddr6(), {});
  EXPECT_EQ(Stream{}.run(one, 300, true), Stream{}.run(other, 300, false));
}

TEST(AnnotatedChannel, TracesEveryCommandOnceAndByTheRules) {
  AnnotatedChannel channel(support::gddr6(), {});
  support::RuleChecker checker(support::gddr6());
  channel.set_sink(&checker);
  (void)Stream{}.run(channel, 500, true);
  (void)channel.access(200'000, 200'000, burst(7, 16, true));
  channel.finish();
  EXPECT_TRUE(checker.violations().empty()) << checker.first();
  const auto counters = channel.counters();
  EXPECT_EQ(counters.reads, 500U * 16);
  EXPECT_EQ(counters.writes, 16U);
  EXPECT_GE(checker.commands(), counters.reads + counters.writes + counters.activates + counters.refreshes);
}

}  // namespace
}  // namespace npuvp::dram
