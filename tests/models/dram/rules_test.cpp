// SPDX-License-Identifier: Apache-2.0
// The controller keeps JEDEC's rules, and the checker that says so finds every one of them broken.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>
#include <tuple>

#include "tests/models/dram/parts.h"
#include "tests/models/dram/random_traffic.h"
#include "tests/models/dram/rule_checker.h"

namespace npuvp::dram {
namespace {

using support::RandomTraffic;
using support::RuleChecker;

class Rules : public testing::TestWithParam<std::tuple<const char*, PagePolicy, RefreshPolicy>> {};

/// Eight of these: more than 10^7 commands together.
TEST_P(Rules, AreKeptInRandomTraffic) {
  const auto& [name, page, refresh] = GetParam();
  const Part part = support::part(name);
  Policy policy{.page = page, .refresh = refresh};
  policy.starvation_clocks = page == PagePolicy::kOpen ? 500 : 0;
  ChannelController controller(part, policy);
  RuleChecker checker(part);
  controller.set_sink(&checker);
  RandomTraffic traffic(part, 12345);
  Tick end = 0;
  while (checker.commands() < 1'260'000) end = traffic.run(controller, 20'000);
  checker.finish(end, refresh == RefreshPolicy::kAllBank);
  EXPECT_THAT(checker.violations(), testing::IsEmpty()) << checker.first();
}

/// "gddr6" of "gddr6-16gbps".
std::string kind_of(std::string_view part) {
  return std::string(part.substr(0, part.find('-')));
}

std::string name_of(const testing::TestParamInfo<Rules::ParamType>& test) {
  const auto& [part, page, refresh] = test.param;
  return fmt::format("{}_{}_{}", kind_of(part), page == PagePolicy::kOpen ? "open" : "closed",
                     refresh == RefreshPolicy::kAllBank ? "all_bank" : "per_bank");
}

INSTANTIATE_TEST_SUITE_P(Policies, Rules,
                         testing::Combine(testing::Values("gddr6-16gbps", "hbm3-6gbps"),
                                          testing::Values(PagePolicy::kOpen, PagePolicy::kClosed),
                                          testing::Values(RefreshPolicy::kAllBank, RefreshPolicy::kPerBank)),
                         name_of);

/// True if a checker for `checked` finds `rule` violated in what a controller for `part` does.
bool notices(const Part& part, const Part& checked, RefreshPolicy refresh, const std::string& rule) {
  for (const auto page : {PagePolicy::kOpen, PagePolicy::kClosed}) {
    RuleChecker checker(checked);
    ChannelController controller(part, {.page = page, .refresh = refresh});
    controller.set_sink(&checker);
    RandomTraffic(part, 99).run(controller, 60'000);
    if (checker.violations().contains(rule)) return true;
  }
  return false;
}

class Mutation : public testing::TestWithParam<const char*> {};

TEST_P(Mutation, AParameterThatTheControllerTakesTooShortIsNoticedByName) {
  const Part part = support::part(GetParam());
  for (const auto& [name, value] : kTimingNames) {
    const std::string parameter = name;
    if (parameter == "tCK_ps" || parameter == "tREFI") continue;  // no distance
    if (parameter == "CL" || parameter == "CWL") continue;        // in tRTW, tWR, tWTR
    if (parameter == "tCCD_R" && part.organisation.stack_ids == 1) continue;
    Part longer = part;
    // In this GDDR6 set other rules are stricter than these two: only what goes beyond those can be noticed.
    if (parameter == "tRC") longer.timings.tRC = std::max(part.timings.tRC, part.timings.tRAS + part.timings.tRP);
    if (parameter == "tFAW") longer.timings.tFAW = std::max(part.timings.tFAW, 4 * part.timings.tRRD_S);
    ++(longer.timings.*value);
    const bool per_bank = parameter == "tRFCpb" || parameter == "tRREFD";
    const auto refresh = per_bank ? RefreshPolicy::kPerBank : RefreshPolicy::kAllBank;
    EXPECT_TRUE(notices(part, longer, refresh, parameter == "BL" ? "data bus" : parameter)) << parameter;
  }
}

INSTANTIATE_TEST_SUITE_P(Parts, Mutation, testing::Values("gddr6-16gbps", "hbm3-6gbps"),
                         [](const auto& test) { return kind_of(test.param); });

/// What the checker says of a few commands.
std::string first_violation(const Part& part, std::initializer_list<Command> commands) {
  RuleChecker checker(part);
  for (const auto& command : commands) checker.on_command(command);
  return checker.first().substr(0, checker.first().find(':'));
}

using K = CommandKind;

TEST(RuleChecker, FindsPlantedStateErrors) {
  const Part part = support::gddr6();
  const Location row5{.row = 5};
  const Location row6{.row = 6};
  EXPECT_EQ(first_violation(part, {{1, K::kActivate, row5}, {36, K::kRead, row5}}), "");
  EXPECT_EQ(first_violation(part, {{1, K::kRead, row5}}), "access to a row that is not open");
  EXPECT_EQ(first_violation(part, {{1, K::kActivate, row5}, {36, K::kRead, row6}}), "access to a row that is not open");
  EXPECT_EQ(first_violation(part, {{1, K::kActivate, row5}, {500, K::kActivate, row6}}), "activate of an open bank");
  EXPECT_EQ(first_violation(part, {{1, K::kActivate, row5}, {500, K::kRefreshAll, {}}}), "refresh of an open bank");
  EXPECT_EQ(first_violation(part, {{1, K::kActivate, row5}, {500, K::kRefreshBank, {}}}), "refresh of an open bank");
  EXPECT_EQ(first_violation(part, {{1, K::kPrecharge, {}}}), "precharge of a closed bank");
  EXPECT_EQ(first_violation(part, {{1, K::kActivate, row5}, {36, K::kReadA, row5}, {200, K::kRead, row5}}),
            "access to a row that is not open");
}

TEST(RuleChecker, FindsPlantedBusErrors) {
  const Location other{.row = 5, .bank_group = 1};
  EXPECT_EQ(first_violation(support::gddr6(), {{1, K::kActivate, {}}, {1, K::kPrechargeAll, other}}), "command bus");
  EXPECT_EQ(first_violation(support::hbm3(), {{2, K::kActivate, {}}}), "rising edge");
  EXPECT_EQ(first_violation(support::hbm3(), {{1, K::kActivate, {}}, {3, K::kActivate, {.pseudo_channel = 1}}}),
            "command bus");
}

TEST(RuleChecker, FindsMissingRefreshes) {
  RuleChecker checker(support::gddr6());
  checker.finish(3800 * 8, true);
  EXPECT_EQ(checker.first(), "");
  checker.finish(3800 * 9, true);
  EXPECT_THAT(checker.first(), testing::HasSubstr("tREFI"));
}

}  // namespace
}  // namespace npuvp::dram
