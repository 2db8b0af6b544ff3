// SPDX-License-Identifier: Apache-2.0
// The controller beside Ramulator 2.1 and DRAMsim3: the same parameters, maps, queues and traces, in full.
#include <gtest/gtest.h>

#include "platform/config/board_loader.h"
#include "tests/models/dram/parts.h"
#include "tests/models/dram/reference_run.h"

namespace npuvp::dram::reference {
namespace {

class Reference : public testing::TestWithParam<Case> {};

TEST_P(Reference, BandwidthAndLatencyAgree) {
  const Case& expected = GetParam();
  const Result result = run(system(expected), map(expected), expected.pattern, expected.count);
  const std::string pattern = expected.pattern;
  if (pattern == "stream" || pattern == "random" || pattern == "rand21") {
    EXPECT_NEAR(result.gb_per_s / expected.gb_per_s, 1, 0.03) << result.gb_per_s;
    EXPECT_NEAR(result.latency_ns / expected.latency_ns, 1, 0.05) << result.latency_ns;
    return;
  }
  // Mixed traffic: the two simulators differ; between them or beside one of them within 10 %.
  const double other = expected.other_gb_per_s > 0 ? expected.other_gb_per_s : expected.gb_per_s;
  EXPECT_GE(result.gb_per_s, 0.9 * std::min(expected.gb_per_s, other));
  EXPECT_LE(result.gb_per_s, 1.1 * std::max(expected.gb_per_s, other));
}

INSTANTIATE_TEST_SUITE_P(Runs, Reference, testing::ValuesIn(cases()), [](const auto& each) {
  const std::string map = each.param.map;
  return std::string(each.param.part) + "_" + each.param.pattern + (map.empty() ? "" : "_" + map);
});

/// The board's fast mode is calibrated from its JEDEC mode: a stream through its own part, controller and map.
TEST(Calibration, TheFastModeOfTheBoardAgreesWithItsJedecMode) {
  const auto dram = config::load_server("server-1", NPUVP_BOARDS_DIR).cards.at(0).dram;
  ASSERT_TRUE(dram.jedec);
  const System board{dram.jedec->part, dram.jedec->policy, dram.channels, 64};
  const Result stream = run(board, AddressMap(dram.jedec->map, 5), "stream", 1'000'000);
  EXPECT_NEAR(stream.gb_per_s / (dram.channels * dram.channel_gb_per_s) / dram.efficiency, 1, 0.02);
  EXPECT_NEAR(stream.latency_ns / dram.latency_ns, 1, 0.05);
}

}  // namespace
}  // namespace npuvp::dram::reference
