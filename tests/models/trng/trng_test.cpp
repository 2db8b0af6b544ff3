// SPDX-License-Identifier: Apache-2.0
#include "models/trng/trng.h"

#include <gtest/gtest.h>

#include <bit>
#include <vector>

#include "npu/registers/trng.h"
#include "tests/models/base/test_bus.h"

namespace npuvp::trng {
namespace {

class TrngTest : public testing::Test {
 protected:
  TrngTest() {
    environment.set_log_level("all", spdlog::level::off);
    cp.port.socket.bind(trng.registers);
    other_cp.port.socket.bind(other.registers);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }
  uint32_t status() { return cp.read<uint32_t>(TRNG_STATUS); }
  static std::vector<uint32_t> words(test::TestInitiator& of, unsigned count) {
    std::vector<uint32_t> all;
    for (unsigned i = 0; i < count; ++i) {
      sc_core::sc_start(2, sc_core::SC_US);
      all.push_back(of.read<uint32_t>(TRNG_DATA));
    }
    return all;
  }

  base::Environment environment;
  Trng trng{"trng", environment, {.seed = 5}};
  Trng other{"other", environment, {.seed = 5}};
  test::TestInitiator cp{"cp"};
  test::TestInitiator other_cp{"other_cp"};
};

TEST_F(TrngTest, IsReadyAfterItsStartUpTestAndAWord) {
  EXPECT_EQ(status(), 0U);
  cp.write(TRNG_CONTROL, 1U);
  sc_core::sc_start(69, sc_core::SC_US);
  EXPECT_EQ(status(), 0U);
  sc_core::sc_start(1, sc_core::SC_US);
  EXPECT_EQ(status(), uint32_t{TRNG_STATUS_STARTED_MASK});
  sc_core::sc_start(2, sc_core::SC_US);
  EXPECT_EQ(status(), TRNG_STATUS_STARTED_MASK | TRNG_STATUS_READY_MASK | 1U << TRNG_STATUS_LEVEL_SHIFT);
  EXPECT_EQ(cp.read<uint32_t>(TRNG_SAMPLES), 1024U);
}

TEST_F(TrngTest, HoldsFourWordsAndThenOneAgainAfterItsTime) {
  cp.write(TRNG_CONTROL, 1U);
  sc_core::sc_start(1, sc_core::SC_MS);
  for (uint32_t level = 4; level > 0; --level) {
    EXPECT_EQ(status() >> TRNG_STATUS_LEVEL_SHIFT, level);
    (void)cp.read<uint32_t>(TRNG_DATA);
  }
  EXPECT_EQ(status() & TRNG_STATUS_READY_MASK, 0U);
  EXPECT_EQ(cp.read<uint32_t>(TRNG_DATA), 0U);
  EXPECT_EQ(environment.diagnostics().misuse_count(), 1U);
  sc_core::sc_start(2, sc_core::SC_US);
  EXPECT_EQ(status() >> TRNG_STATUS_LEVEL_SHIFT, 1U);
}

TEST_F(TrngTest, TheSameSeedGivesTheSameWords) {
  cp.write(TRNG_CONTROL, 1U);
  other_cp.write(TRNG_CONTROL, 1U);
  sc_core::sc_start(100, sc_core::SC_US);
  EXPECT_EQ(words(cp, 100), words(other_cp, 100));
}

TEST_F(TrngTest, ItsBitsAreBalanced) {
  cp.write(TRNG_CONTROL, 1U);
  sc_core::sc_start(100, sc_core::SC_US);
  int ones = 0;
  for (uint32_t word : words(cp, 1000)) ones += std::popcount(word);
  EXPECT_NEAR(ones, 16000, 450);  // five standard deviations: sqrt(32000) / 2 = 89
}

TEST_F(TrngTest, AResetDoesNotRepeatWhatWasGiven) {
  cp.write(TRNG_CONTROL, 1U);
  sc_core::sc_start(100, sc_core::SC_US);
  const auto before = words(cp, 4);
  trng.reset();
  EXPECT_EQ(status(), 0U);
  cp.write(TRNG_CONTROL, 1U);
  sc_core::sc_start(100, sc_core::SC_US);
  EXPECT_NE(words(cp, 4), before);
}

TEST_F(TrngTest, AStuckSourceIsFoundAndGivesNothing) {
  cp.write(TRNG_CONTROL, 1U);
  sc_core::sc_start(100, sc_core::SC_US);
  trng.set_stuck(true);
  EXPECT_EQ(cp.read<uint32_t>(TRNG_DATA), 0U);
  EXPECT_NE(status() & TRNG_STATUS_REPETITION_MASK, 0U);
  EXPECT_EQ(status() & TRNG_STATUS_READY_MASK, 0U);
  trng.set_stuck(false);
  cp.write(TRNG_CONTROL, 0U);
  cp.write(TRNG_CONTROL, 1U);
  sc_core::sc_start(100, sc_core::SC_US);
  EXPECT_NE(status() & TRNG_STATUS_READY_MASK, 0U);
}

TEST(HealthTests, RepetitionFailsAtSixEqualSamples) {
  HealthTests tests;
  for (unsigned i = 0; i < 5; ++i) tests.sample(7);
  EXPECT_FALSE(tests.repetition_failed());
  tests.sample(7);
  EXPECT_TRUE(tests.repetition_failed());
}

TEST(HealthTests, ProportionFailsAtSixtyTwoInAWindow) {
  HealthTests tests;
  for (unsigned i = 0; i < 61; ++i) {
    tests.sample(7);
    tests.sample(static_cast<uint8_t>(100 + i));
  }
  EXPECT_FALSE(tests.proportion_failed());
  tests.sample(7);
  EXPECT_TRUE(tests.proportion_failed());
  EXPECT_FALSE(tests.repetition_failed());
}

}  // namespace
}  // namespace npuvp::trng
