// SPDX-License-Identifier: Apache-2.0
#include "models/ecc/ecc_collector.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <utility>
#include <vector>

#include "npu/registers/ecc.h"
#include "tests/models/base/test_bus.h"

namespace npuvp::ecc {
namespace {

using base::secded::Outcome;
constexpr auto kCorrected = Outcome::kCorrected;
constexpr auto kUncorrectable = Outcome::kUncorrectable;
constexpr uint64_t kBase = 0x1000000000;

struct EccCollectorTest : testing::Test {
  EccCollectorTest() {
    environment.set_log_level("all", spdlog::level::off);
    hart.port.socket.bind(collector.registers);
    collector.add_source(0, "DRAM", kBase, 0x10000,
                         [this](uint64_t offset, unsigned bit) { flips.emplace_back(offset, bit); });
    collector.add_source(9, "scratchpad 1", 0x50400000, 0x1000,
                         [this](uint64_t offset, unsigned bit) { flips.emplace_back(~offset, bit); });
    collector.irq.connect([this](bool level) { interrupt = level; });
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }
  uint32_t word(uint32_t offset) { return hart.read<uint32_t>(offset); }
  uint64_t address(uint32_t offset) { return hart.read<uint64_t>(offset); }

  base::Environment environment;
  EccCollector collector{"ecc", environment};
  test::TestInitiator hart{"hart"};
  std::vector<std::pair<uint64_t, unsigned>> flips;
  bool interrupt = false;
};

TEST_F(EccCollectorTest, CountsAndKeepsFirstAndLastAddresses) {
  EXPECT_EQ(word(ECC_SOURCES), 0x201U);
  collector.report(0, 0x40, kCorrected);
  collector.report(0, 0x80, kCorrected);
  collector.report(0, 0xc0, kCorrected);
  collector.report(0, 0x100, kUncorrectable);
  collector.report(9, 0x8, kUncorrectable);
  EXPECT_EQ(word(ECC_CORRECTED(0)), 3U);
  EXPECT_EQ(address(ECC_FIRST_CORRECTED(0)), kBase + 0x40);
  EXPECT_EQ(address(ECC_LAST_CORRECTED(0)), kBase + 0xc0);
  EXPECT_EQ(word(ECC_UNCORRECTED(0)), 1U);
  EXPECT_EQ(address(ECC_FIRST_UNCORRECTED(0)), kBase + 0x100);
  EXPECT_EQ(word(ECC_UNCORRECTED(9)), 1U);
  EXPECT_EQ(address(ECC_LAST_UNCORRECTED(9)), 0x50400008U);
  EXPECT_EQ(word(ECC_CORRECTED(9)), 0U);
  hart.write(ECC_CLEAR, uint32_t{1});
  EXPECT_EQ(word(ECC_CORRECTED(0)), 0U);
  EXPECT_EQ(address(ECC_LAST_CORRECTED(0)), 0U);
  EXPECT_EQ(word(ECC_UNCORRECTED(9)), 1U);
}

TEST_F(EccCollectorTest, InterruptsForWhatIsEnabled) {
  collector.report(0, 0, kCorrected);
  collector.report(0, 0, kUncorrectable);
  EXPECT_FALSE(interrupt);
  hart.write(ECC_IRQ_ENABLE, uint32_t{ECC_IRQ_ENABLE_UNCORRECTED_MASK});
  EXPECT_TRUE(interrupt);
  hart.write(ECC_UNCORRECTED_PENDING, uint32_t{1});
  EXPECT_FALSE(interrupt);
  EXPECT_EQ(word(ECC_CORRECTED_PENDING), 1U);
  hart.write(ECC_IRQ_ENABLE, uint32_t{ECC_IRQ_ENABLE_CORRECTED_MASK});
  EXPECT_TRUE(interrupt);
  hart.write(ECC_CORRECTED_PENDING, uint32_t{1});
  EXPECT_FALSE(interrupt);
}

TEST_F(EccCollectorTest, CorrectedErrorsInterruptAtTheThreshold) {
  hart.write(ECC_IRQ_ENABLE, uint32_t{ECC_IRQ_ENABLE_CORRECTED_MASK});
  hart.write(ECC_THRESHOLD, uint32_t{3});
  collector.report(9, 0, kCorrected);
  collector.report(0, 0, kCorrected);
  collector.report(9, 0, kCorrected);
  EXPECT_FALSE(interrupt);
  collector.report(9, 0, kCorrected);
  EXPECT_TRUE(interrupt);
  EXPECT_EQ(word(ECC_CORRECTED_PENDING), 1U << 9);
  collector.report(9, 0, kCorrected);  // counts, but not towards the next one before this one is taken
  hart.write(ECC_CORRECTED_PENDING, uint32_t{1} << 9);
  collector.report(9, 0, kCorrected);
  collector.report(9, 0, kCorrected);
  EXPECT_FALSE(interrupt);
  collector.report(9, 0, kCorrected);
  EXPECT_TRUE(interrupt);
}

TEST_F(EccCollectorTest, InjectsIntoTheMemoryThatHasTheAddress) {
  hart.write(ECC_INJECT_ADDRESS, kBase + 0x18);
  hart.write(ECC_INJECT, uint32_t{5});
  hart.write(ECC_INJECT_ADDRESS, uint64_t{0x50400ff8});
  hart.write(ECC_INJECT, uint32_t{ECC_INJECT_DOUBLE_MASK} | 71U << ECC_INJECT_BIT1_SHIFT | 1U);
  const std::vector<std::pair<uint64_t, unsigned>> expected{{0x18, 5}, {~uint64_t{0xff8}, 1}, {~uint64_t{0xff8}, 71}};
  EXPECT_EQ(flips, expected);
}

TEST_F(EccCollectorTest, ReportsInjectionsThatMakeNoSense) {
  for (const uint64_t nowhere : {kBase - 8, kBase + 0x10000, uint64_t{0}, ~uint64_t{0}}) {
    hart.write(ECC_INJECT_ADDRESS, nowhere);
    hart.write(ECC_INJECT, uint32_t{0});
  }
  hart.write(ECC_INJECT_ADDRESS, kBase);
  hart.write(ECC_INJECT, uint32_t{72});
  hart.write(ECC_INJECT, uint32_t{ECC_INJECT_DOUBLE_MASK} | 100U << ECC_INJECT_BIT1_SHIFT);
  EXPECT_TRUE(flips.empty());
  EXPECT_EQ(environment.diagnostics().misuse_count(), 6U);
}

TEST_F(EccCollectorTest, ResetForgetsAndKeepsTheSources) {
  hart.write(ECC_IRQ_ENABLE, uint32_t{3});
  collector.report(0, 8, kUncorrectable);
  EXPECT_TRUE(interrupt);
  collector.reset();
  EXPECT_FALSE(interrupt);
  EXPECT_EQ(word(ECC_UNCORRECTED(0)), 0U);
  EXPECT_EQ(word(ECC_SOURCES), 0x201U);
  EXPECT_THROW(collector.add_source(0, "again", 0, 8, {}), std::invalid_argument);
  EXPECT_THROW(collector.add_source(16, "too many", 0, 8, {}), std::invalid_argument);
}

TEST_F(EccCollectorTest, SwitchesAndInitialisesOnlyWhatCanBe) {
  std::vector<bool> switched;
  unsigned wipes = 0;
  collector.make_switchable(
      9, [&](bool on) { switched.push_back(on); },
      [&] {
        ++wipes;
        return sc_core::sc_time(10, sc_core::SC_US);
      });
  collector.add_source(2, "shared memory", 0x40000000, 0x1000, [](uint64_t, unsigned) {});
  EXPECT_EQ(word(ECC_CHECK), 5U) << "the others are always checked";
  collector.reset();
  EXPECT_EQ(word(ECC_CHECK), 5U);
  switched.clear();
  hart.write(ECC_CHECK, uint32_t{0x200});
  EXPECT_EQ(word(ECC_CHECK), 0x205U);
  EXPECT_EQ(switched, (std::vector<bool>{true}));
  EXPECT_EQ(word(ECC_INIT), 0U);
  hart.write(ECC_INIT, uint32_t{0x200});
  EXPECT_EQ(wipes, 1U);
  EXPECT_EQ(word(ECC_INIT), 0x200U);
  sc_core::sc_start(sc_core::sc_time(9, sc_core::SC_US));
  EXPECT_EQ(word(ECC_INIT), 0x200U);
  sc_core::sc_start(sc_core::sc_time(1, sc_core::SC_US));
  EXPECT_EQ(word(ECC_INIT), 0U);
  EXPECT_EQ(environment.diagnostics().misuse_count(), 0U);
  hart.write(ECC_INIT, uint32_t{0x101});
  EXPECT_EQ(environment.diagnostics().misuse_count(), 2U);
  EXPECT_EQ(wipes, 1U);
  collector.reset();
  EXPECT_FALSE(switched.back());
  EXPECT_EQ(word(ECC_CHECK), 5U);
}

}  // namespace
}  // namespace npuvp::ecc
