// SPDX-License-Identifier: Apache-2.0
// Times by hand from the parameters of GDDR6 at 16 Gb/s and HBM3 at 6 Gb/s.
#include "models/dram/channel_controller.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/models/dram/parts.h"

namespace npuvp::dram {
namespace {

using K = CommandKind;

struct Recorder final : CommandSink {
  void on_command(const Command& command) override { commands.push_back(command); }
  std::vector<Command> commands;
};

struct Bench {
  explicit Bench(const Part& part, const Policy& policy = {.refresh = RefreshPolicy::kNone})
      : controller(part, policy) {
    controller.set_sink(&recorder);
  }
  /// Accepts at the controller's present.
  void accept(Location where, bool write = false) {
    ASSERT_TRUE(controller.accept({where, write, tag++}, controller.now()));
  }
  /// "ACT@1 RD@36": what has been issued up to `time`.
  std::string until(Tick time) {
    controller.run_until(time);
    std::string text;
    for (const auto& each : recorder.commands) {
      const char* names[] = {"ACT", "PRE", "PREA", "RD", "RDA", "WR", "WRA", "REF", "REFPB"};
      text += fmt::format("{}{}@{}", text.empty() ? "" : " ", names[static_cast<size_t>(each.kind)], each.time);
    }
    return text;
  }
  ChannelController controller;
  Recorder recorder;
  uint32_t tag = 0;
};

TEST(ChannelController, ARowMissTakesActivateAndRead) {
  Bench bench(support::gddr6());
  bench.accept({.row = 5});
  EXPECT_EQ(bench.until(1000), "ACT@1 RD@36");  // tRCDRD 35
  ASSERT_EQ(bench.controller.completions().size(), 1U);
  EXPECT_EQ(bench.controller.completions()[0].time, 36 + 28 + 2);  // CL + BL
  EXPECT_EQ(bench.controller.counters().misses, 1U);
}

TEST(ChannelController, HitsOfOneBankGroupFollowAtCcdLOfTwoAtCcdS) {
  Bench bench(support::gddr6());
  bench.accept({.row = 5, .column = 0});
  bench.accept({.row = 5, .column = 1});
  EXPECT_EQ(bench.until(1000), "ACT@1 RD@36 RD@40");
  bench.accept({.row = 7, .bank_group = 1});
  EXPECT_EQ(bench.until(1037), "ACT@1 RD@36 RD@40 ACT@1001 RD@1036");
  bench.accept({.row = 5, .column = 2});
  EXPECT_EQ(bench.until(1100), "ACT@1 RD@36 RD@40 ACT@1001 RD@1036 RD@1038");
}

TEST(ChannelController, AConflictPrechargesFirst) {
  Bench bench(support::gddr6());
  bench.accept({.row = 5});
  bench.accept({.row = 6});
  // Precharge at tRAS 69, activate at the later of tRP 35 and tRC 103 from the first.
  EXPECT_EQ(bench.until(1000), "ACT@1 RD@36 PRE@70 ACT@105 RD@140");
  EXPECT_EQ(bench.controller.counters().conflicts, 1U);
}

TEST(ChannelController, HitsOvertakeAnOlderConflictWhileNoPrechargeIsPossible) {
  Bench bench(support::gddr6());
  bench.accept({.row = 5});
  bench.until(60);
  bench.accept({.row = 6});
  bench.until(67);
  bench.accept({.row = 5, .column = 1});
  bench.accept({.row = 5, .column = 2});
  // The second hit at tCCD_L 4; then the precharge at tRTP 5, after tRAS (70).
  EXPECT_EQ(bench.until(100), "ACT@1 RD@36 RD@68 RD@72 PRE@77");
}

TEST(ChannelController, TheStarvationBoundEndsAStreamOfHits) {
  Bench bench(support::gddr6(), {.refresh = RefreshPolicy::kNone, .starvation_clocks = 200});
  bench.accept({.row = 5});
  bench.until(60);
  bench.accept({.row = 6});
  Tick precharged = 0;
  for (Tick now = 61; precharged == 0 && now < 1000; ++now) {
    bench.controller.run_until(now);
    if (bench.controller.waiting() < 20) bench.accept({.row = 5, .column = static_cast<uint32_t>(now % 128)});
    for (const auto& each : bench.recorder.commands) precharged = each.kind == K::kPrecharge ? each.time : precharged;
  }
  // The last hit before 260, then tRTP.
  EXPECT_GE(precharged, 256 + 5);
  EXPECT_LE(precharged, 259 + 5);
}

TEST(ChannelController, WritesAreDrainedBetweenTheWatermarks) {
  Bench bench(support::gddr6(), {.read_entries = 10, .write_entries = 10, .refresh = RefreshPolicy::kNone});
  bench.accept({.row = 5});
  bench.until(2);  // the read's row is being opened
  for (uint32_t i = 0; i < 10; ++i) bench.accept({.row = 5, .column = i, .bank_group = 1}, true);
  EXPECT_FALSE(bench.controller.accept({{.row = 5, .column = 99}, true, 0}, 2));
  for (uint32_t i = 0; i < 10; ++i) bench.accept({.row = 5, .column = 20 + i});
  bench.controller.run_until(2000);
  std::string order;
  for (const auto& each : bench.recorder.commands) {
    if (each.kind == K::kRead) order += 'r';
    if (each.kind == K::kWrite) order += 'w';
  }
  // The active read; writes until fewer than 2 of 10 are left; all reads; the rest.
  EXPECT_EQ(order, "rwwwwwwwwwrrrrrrrrrrw");
  EXPECT_EQ(bench.controller.counters().turnarounds, 3U);
}

TEST(ChannelController, AReadOfAQueuedWriteIsForwarded) {
  Bench bench(support::gddr6());
  bench.accept({.row = 5, .column = 3}, true);
  bench.accept({.row = 5, .column = 3});
  ASSERT_EQ(bench.controller.completions().size(), 1U);
  EXPECT_EQ(bench.controller.completions()[0].time, 1);
  EXPECT_EQ(bench.controller.counters().forwarded, 1U);
}

TEST(ChannelController, RefreshesAllBanksEveryRefi) {
  Bench bench(support::gddr6(), {});
  bench.accept({.row = 5});
  bench.controller.run_until(3790);
  EXPECT_EQ(bench.until(3800 + 2 * 3800), "ACT@1 RD@36 PREA@3800 REF@3835 REF@7600 REF@11400");
  bench.accept({.row = 5});
  // tRFCab 241 after the refresh at 11400.
  EXPECT_EQ(bench.until(11641), "ACT@1 RD@36 PREA@3800 REF@3835 REF@7600 REF@11400 ACT@11641");
  EXPECT_EQ(bench.controller.counters().refreshes, 3U);
}

TEST(ChannelController, APerBankRefreshLeavesTheOtherBanksAlone) {
  Bench bench(support::gddr6(), {.refresh = RefreshPolicy::kPerBank});
  bench.until(230);
  bench.accept({.row = 5, .bank = 1});
  bench.accept({.row = 5});
  // Bank 0 is due at 3800 / 16 = 237 and refreshed at tRRD 13 after the activate; it opens tRFCpb 121 later. Bank 1
  // goes on, until it is due itself at 474.
  EXPECT_EQ(bench.until(500), "ACT@231 REFPB@244 RD@266 ACT@365 RD@400 PRE@474");
}

TEST(ChannelController, AnIdleChannelCostsNothing) {
  ChannelController controller(support::gddr6(), {});
  controller.run_until(Tick{3800} * 1'000'000'000);
  EXPECT_EQ(controller.counters().refreshes, 1'000'000'000U);
}

TEST(ChannelController, HbmIssuesRowAndColumnCommandsSideBySide) {
  Bench bench(support::hbm3());
  bench.accept({.row = 5});
  // Ticks of half a clock. Activate from 1 to 3; tRCDRD 31 clocks from its last edge to the read's last edge: 3 + 62
  // = 65.
  EXPECT_EQ(bench.until(100), "ACT@1 RD@65");  // 64 is no rising edge
  EXPECT_EQ(bench.controller.completions()[0].time, 65 + 2 * (20 + 2));
  // The conflict: precharge at tRAS 45 clocks after 3, on any edge.
  bench.accept({.row = 6});
  EXPECT_EQ(bench.until(110), "ACT@1 RD@65 PRE@101");
}

TEST(ChannelController, ClosedPagesArePrechargedByTheirLastAccess) {
  Bench bench(support::gddr6(), {.page = PagePolicy::kClosed, .refresh = RefreshPolicy::kNone});
  bench.accept({.row = 5, .column = 0});
  bench.accept({.row = 5, .column = 1});
  EXPECT_EQ(bench.until(50), "ACT@1 RD@36 RDA@40");
  bench.accept({.row = 6});
  // Precharged at tRAS (70); then tRP 35.
  EXPECT_EQ(bench.until(200), "ACT@1 RD@36 RDA@40 ACT@105 RDA@140");
}

TEST(ChannelController, RefusesPoliciesThatMakeNoSense) {
  EXPECT_THROW(ChannelController(support::gddr6(), {.read_entries = 0}), std::invalid_argument);
  EXPECT_THROW(ChannelController(support::gddr6(), {.write_high = 0.2, .write_low = 0.8}), std::invalid_argument);
  Part part = support::gddr6();
  part.timings.tRC = 5;
  EXPECT_THROW(ChannelController(part, {}), std::invalid_argument);
}

}  // namespace
}  // namespace npuvp::dram
