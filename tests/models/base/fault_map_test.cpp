// SPDX-License-Identifier: Apache-2.0
#include "models/base/fault_map.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <stdexcept>

namespace npuvp::base {
namespace {

struct FaultMapTest : testing::Test {
  FaultMapTest() {
    for (uint64_t i = 0; i < 64; ++i) memory.data()[i] = static_cast<uint8_t>(i);
    faults.on_error([this](uint64_t address, secded::Outcome outcome) {
      (outcome == secded::Outcome::kCorrected ? corrected : reported) = address;
    });
  }
  bool read(uint64_t address, size_t bytes) {
    std::memcpy(data.data(), memory.data() + address, bytes);
    return faults.after_read(address, {data.data(), bytes});
  }
  base::SparseMemory memory{4096};
  FaultMap faults{memory};
  std::array<uint8_t, 64> data{};
  uint64_t reported = 0;
  uint64_t corrected = 0;
};

TEST_F(FaultMapTest, ASingleErrorIsCorrectedAndCountedAtEveryRead) {
  faults.flip(18, 5);
  EXPECT_TRUE(read(16, 8));
  EXPECT_TRUE(read(0, 64));
  EXPECT_EQ(data[18], 18);
  EXPECT_EQ(corrected, 16U);
  EXPECT_EQ(faults.counters().corrected, 2U);
  EXPECT_TRUE(read(24, 8));
  EXPECT_EQ(faults.counters().corrected, 2U);
}

TEST_F(FaultMapTest, ADoubleErrorPoisonsTheWordAndNamesItsAddress) {
  faults.flip(16, 0);
  faults.flip(16, 9);
  EXPECT_FALSE(read(17, 10));
  EXPECT_EQ(data[0], 17 ^ 2);  // bit 9 of the word
  EXPECT_EQ(data[1], 18);
  EXPECT_EQ(data[9], 26);
  EXPECT_EQ(reported, 16U);
  EXPECT_EQ(faults.last_uncorrectable(), 16U);
  EXPECT_EQ(faults.counters().uncorrectable, 1U);
}

TEST_F(FaultMapTest, AWriteOfTheWholeWordHealsIt) {
  faults.flip(16, 0);
  faults.flip(16, 1);
  faults.before_write(8, 16);
  EXPECT_TRUE(faults.empty());
}

TEST_F(FaultMapTest, AWriteOfAPartHealsWhatCanBeCorrectedOnly) {
  faults.flip(16, 0);
  faults.before_write(16, 4);
  EXPECT_TRUE(faults.empty());
  faults.flip(16, 0);
  faults.flip(16, 1);
  faults.before_write(16, 4);
  EXPECT_FALSE(faults.empty());
}

TEST_F(FaultMapTest, PoisonedDataIsUncorrectableUntilItIsOverwritten) {
  faults.poison(12, 8);
  EXPECT_FALSE(read(8, 8));
  EXPECT_FALSE(read(16, 8));
  EXPECT_TRUE(read(24, 8));
  faults.before_write(8, 16);
  EXPECT_TRUE(read(0, 64));
}

TEST_F(FaultMapTest, ScrubbingHealsSingleErrors) {
  faults.flip(0, 3);
  faults.flip(40, 70);
  faults.flip(48, 1);
  faults.flip(48, 2);
  EXPECT_EQ(faults.scrub(0, 64), 16U);
  EXPECT_EQ(faults.counters().scrubbed, 2U);
  EXPECT_EQ(faults.counters().uncorrectable, 1U);
  EXPECT_FALSE(read(48, 8));
  EXPECT_TRUE(read(0, 48));
  EXPECT_EQ(faults.counters().corrected, 2U);
}

TEST_F(FaultMapTest, TheSameFlipTwiceIsNone) {
  faults.flip(8, 64);
  faults.flip(8, 64);
  EXPECT_TRUE(faults.empty());
}

TEST_F(FaultMapTest, FindsItsNeighbours) {
  faults.flip(64, 0);
  faults.flip(256, 0);
  faults.flip(256, 1);
  EXPECT_EQ(faults.size(), 2U);
  EXPECT_EQ(faults.next(0), 64U);
  EXPECT_EQ(faults.next(64), 64U);
  EXPECT_EQ(faults.next(65), 256U);
  EXPECT_EQ(faults.next(257), std::nullopt);
  EXPECT_EQ(faults.previous(64), std::nullopt);
  EXPECT_EQ(faults.previous(300), 256U);
  EXPECT_TRUE(faults.contains(64));
  EXPECT_FALSE(faults.contains(128));
}

TEST_F(FaultMapTest, RefusesWhatDoesNotExist) {
  EXPECT_THROW(faults.flip(0, 72), std::invalid_argument);
  EXPECT_THROW(faults.flip(4096, 0), std::invalid_argument);
  EXPECT_THROW(faults.flip(~0ULL, 0), std::invalid_argument);
}

}  // namespace
}  // namespace npuvp::base
