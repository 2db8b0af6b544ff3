// SPDX-License-Identifier: Apache-2.0
#include "models/dram/dram.h"

#include <gtest/gtest.h>

#include <array>
#include <stdexcept>
#include <vector>

#include "tests/models/base/test_bus.h"
#include "tests/models/dram/parts.h"

namespace npuvp::dram {
namespace {

using test::ns;
using test::TestInitiator;

struct Bench {
  explicit Bench(const Dram::Parameters& parameters = {}) : dram("dram", environment, parameters) {
    initiator.port.socket.bind(dram.memory);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }
  base::Environment environment;
  Dram dram;
  TestInitiator initiator{"initiator"};
};

/// 1 byte a ns and channel, nothing lost.
Dram::Parameters plain() {
  Dram::Parameters parameters;
  parameters.fast.channel_bytes_per_second = 1e9;
  parameters.fast.efficiency = 1.0;
  return parameters;
}

sc_core::sc_time read(Bench& bench, uint64_t address, size_t bytes, sc_core::sc_time delay = {}) {
  std::vector<uint8_t> data(bytes);
  EXPECT_EQ(bench.initiator.port.read(address, data, delay), tlm::TLM_OK_RESPONSE);
  return delay;
}

TEST(Dram, OneBlockOccupiesOneChannel) {
  Bench bench(plain());
  EXPECT_EQ(read(bench, 0, 256), ns(256 + 50));
  EXPECT_EQ(read(bench, 256, 256), ns(256 + 50));      // the next channel is free
  EXPECT_EQ(read(bench, 8 * 256, 256), ns(512 + 50));  // channel 0 again
}

TEST(Dram, ABurstSpreadsOverTheChannels) {
  Bench bench(plain());
  EXPECT_EQ(read(bench, 0, 4096), ns(512 + 50));
}

TEST(Dram, ChargesWholeTransactions) {
  Bench bench(plain());
  EXPECT_EQ(read(bench, 0, 1), ns(32 + 50));
  EXPECT_EQ(read(bench, 256 + 31, 2), ns(64 + 50));
  EXPECT_EQ(read(bench, 3 * 256 - 1, 2), ns(32 + 50));  // one transaction in each of two channels
}

TEST(Dram, StreamsAtTheMeasuredShareOfPeak) {
  // 8 channels x 32 GB/s x 0.914 = 233.984 GB/s: 1 MiB takes 4481.402 ns, and the last burst its latency of 50 ns.
  Bench bench;
  sc_core::sc_time last;
  for (uint64_t at = 0; at < (1 << 20); at += 4096) last = std::max(last, read(bench, at, 4096));
  EXPECT_NEAR(last.to_seconds() * 1e9, 4481.402 + 50, 1.0);
}

TEST(Dram, RefusesWhatLiesOutsideOf16GiB) {
  Bench bench;
  EXPECT_EQ(bench.initiator.write((16ULL << 30) - 8, uint64_t{5}), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(bench.initiator.read<uint64_t>((16ULL << 30) - 8), 5U);
  EXPECT_EQ(bench.initiator.write((16ULL << 30) - 4, uint64_t{5}), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(bench.initiator.write(~0ULL - 7, uint64_t{5}), tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

TEST(Dram, OffersDirectAccessAndStaysSparse) {
  Bench bench;
  tlm::tlm_dmi dmi;
  ASSERT_TRUE(bench.initiator.port.dmi(0, dmi));
  EXPECT_EQ(dmi.get_end_address(), (16ULL << 30) - 1);
  dmi.get_dmi_ptr()[9ULL << 30] = 3;
  EXPECT_EQ(bench.initiator.read<uint8_t>(9ULL << 30), 3U);
  EXPECT_LE(bench.dram.storage().resident_bytes(), 4ULL << 20);
}

TEST(Dram, ResetForgetsScheduledAccessesNotContents) {
  Bench bench(plain());
  bench.initiator.write(0, uint32_t{7});
  bench.dram.reset();
  EXPECT_EQ(read(bench, 0, 32), ns(32 + 50));
  EXPECT_EQ(bench.initiator.read<uint32_t>(0), 7U);
}

Dram::Parameters jedec() {
  Dram::Parameters parameters;
  parameters.jedec = {
      .part = support::gddr6(),
      .policy = {},
      .map = AddressMap::in_order(
          5, {{Field::kChannel, 3}, {Field::kBankGroup, 2}, {Field::kColumn, 7}, {Field::kBank, 2}, {Field::kRow, 15}}),
      .channels = 8};
  return parameters;
}

TEST(Dram, InJedecModeAReadTakesActivateReadAndBurst) {
  Bench bench(jedec());
  // Clocks of 0.5 ns: entered at 0, activate 1, tRCDRD 35, CL 28, BL 2.
  EXPECT_EQ(read(bench, 0, 32), ns(33));
  // Four transactions in each channel, in bank groups 0 to 3, of which 0 has another row open: precharge at 1,
  // activates of the others at 2, 15 and 28 (tRRD 13), its own at 41 (tRP over at 36), read at 76, data at 106.
  EXPECT_EQ(read(bench, 1 << 20, 1024, ns(1000)), ns(1000 + 53));
}

TEST(Dram, InJedecModeWritesArePosted) {
  Bench bench(jedec());
  sc_core::sc_time delay;
  EXPECT_EQ(bench.initiator.port.write(0, std::vector<uint8_t>(4096), delay), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(delay, ns(8));  // 16 transactions a channel, one a clock
  EXPECT_EQ(bench.dram.jedec()->counters(3).writes, 16U);
}

TEST(Dram, JedecModeRefusesAMapThatThePartHasNoRoomFor) {
  auto parameters = jedec();
  parameters.jedec->channels = 4;
  EXPECT_THROW(JedecTiming{*parameters.jedec}, std::invalid_argument);
}

// 1.5 GiB on one channel with three stack ids: every place is reached, once, and nothing beyond.
TEST(Dram, ThreeStackIdsAreAllUsed) {
  Dram::Parameters parameters;
  parameters.bytes = 1536ULL << 20;
  parameters.jedec = {.part = support::part("hbm3-6gbps-3sid"),
                      .policy = {},
                      .map = AddressMap::in_order(5, {{Field::kPseudoChannel, 1},
                                                      {Field::kColumn, 5},
                                                      {Field::kBankGroup, 2},
                                                      {Field::kBank, 2},
                                                      {Field::kRow, 14},
                                                      {Field::kStackId, 2}}),
                      .channels = 1};
  Bench bench(parameters);
  for (uint64_t stack = 0; stack < 3; ++stack) (void)read(bench, stack << 29, 64);
  EXPECT_EQ(bench.dram.jedec()->counters(0).activates, 6U);  // a row in each pseudo-channel of each stack id
  EXPECT_EQ(bench.initiator.write(3ULL << 29, uint64_t{1}), tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

TEST(Dram, AMapThatLeavesStackIdsOutIsRefused) {
  Dram::Parameters parameters;
  parameters.bytes = 2048ULL << 20;
  parameters.jedec = {.part = support::part("hbm3-6gbps-3sid"),
                      .policy = {},
                      .map = AddressMap::in_order(5, {{Field::kPseudoChannel, 1},
                                                      {Field::kColumn, 5},
                                                      {Field::kBankGroup, 2},
                                                      {Field::kBank, 2},
                                                      {Field::kRow, 14},
                                                      {Field::kStackId, 2}}),
                      .channels = 1};
  EXPECT_THROW(Bench{parameters}, std::invalid_argument);
}

TEST(Dram, ReadsOfSingleErrorsAreRightAndOfDoubleErrorsPoisoned) {
  Bench bench;
  auto& port = bench.initiator.port;
  bench.initiator.write(64, uint64_t{0x1122334455667788});
  bench.dram.inject_error(64, 3);
  EXPECT_EQ(bench.initiator.read<uint64_t>(64), 0x1122334455667788U);
  EXPECT_EQ(bench.dram.ecc().corrected, 1U);
  EXPECT_FALSE(port.sideband().poison);
  bench.dram.inject_error(64, 60);
  std::vector<uint8_t> data(256);
  sc_core::sc_time delay;
  EXPECT_EQ(port.read(0, data, delay), tlm::TLM_OK_RESPONSE);
  EXPECT_TRUE(port.sideband().poison);
  EXPECT_EQ(bench.dram.last_uncorrectable(), 64U);
  port.sideband().poison = false;
  EXPECT_EQ(port.read(72, data, delay), tlm::TLM_OK_RESPONSE);
  EXPECT_FALSE(port.sideband().poison);
  // Written again, the word is sound.
  bench.initiator.write(64, uint64_t{1});
  EXPECT_EQ(bench.initiator.read<uint64_t>(64), 1U);
  EXPECT_FALSE(port.sideband().poison);
}

TEST(Dram, WithoutASidebandAnUncorrectableReadFails) {
  Bench bench;
  bench.dram.inject_error(0, 0);
  bench.dram.inject_error(0, 1);
  tlm::tlm_generic_payload payload;
  std::vector<uint8_t> data(8);
  payload.set_read();
  payload.set_data_ptr(data.data());
  payload.set_data_length(8);
  payload.set_streaming_width(8);
  sc_core::sc_time delay;
  bench.initiator.port.socket->b_transport(payload, delay);
  EXPECT_EQ(payload.get_response_status(), tlm::TLM_GENERIC_ERROR_RESPONSE);
}

TEST(Dram, APoisonedWriteStaysPoisoned) {
  Bench bench;
  auto& port = bench.initiator.port;
  port.sideband().poison = true;
  bench.initiator.write(128, uint64_t{5});
  port.sideband().poison = false;
  (void)bench.initiator.read<uint64_t>(128);
  EXPECT_TRUE(port.sideband().poison);
}

TEST(Dram, OffersNoDirectAccessAroundErrors) {
  Bench bench;
  tlm::tlm_dmi dmi;
  bench.dram.inject_error(4096, 0);
  EXPECT_FALSE(bench.initiator.port.dmi(4100, dmi));
  ASSERT_TRUE(bench.initiator.port.dmi(0, dmi));
  EXPECT_EQ(dmi.get_end_address(), 4095U);
  (void)bench.dram.scrub(0, 1 << 20, ns(0));
  ASSERT_TRUE(bench.initiator.port.dmi(4100, dmi));
  EXPECT_GT(dmi.get_end_address(), 8191U);
}

/// 16 bursts of 4 KiB, one a microsecond.
Dram::Parameters patrolled() {
  auto parameters = plain();
  parameters.bytes = 64 << 10;
  parameters.patrol_period = sc_core::sc_time(16, sc_core::SC_US);
  return parameters;
}

TEST(Dram, ThePatrolCorrectsAnErrorWhenItComesByAndHasNoEventsBefore) {
  Bench bench(patrolled());
  EXPECT_FALSE(sc_core::sc_pending_activity());
  sc_core::sc_start(ns(4500));
  bench.dram.inject_error(3 * 4096 + 8, 5);   // visited at 3 us, so next at 19
  bench.dram.inject_error(10 * 4096 + 8, 5);  // at 10
  sc_core::sc_start(ns(9999) - ns(4500));
  EXPECT_EQ(bench.dram.ecc().scrubbed, 0U);
  sc_core::sc_start(ns(2));
  EXPECT_EQ(bench.dram.ecc().scrubbed, 1U);
  sc_core::sc_start(ns(8998));
  EXPECT_EQ(bench.dram.ecc().scrubbed, 1U);
  sc_core::sc_start(ns(2));
  EXPECT_EQ(bench.dram.ecc().scrubbed, 2U);
  EXPECT_FALSE(sc_core::sc_pending_activity());
  EXPECT_EQ(bench.dram.patrolled_bytes(), 20U * 4096);  // 0 to 19 us
}

TEST(Dram, ThePatrolReportsAnUncorrectableWordOnce) {
  Bench bench(patrolled());
  std::vector<uint64_t> met;
  bench.dram.on_error([&](uint64_t address, base::secded::Outcome outcome) {
    if (outcome == base::secded::Outcome::kUncorrectable) met.push_back(address);
  });
  bench.dram.inject_error(8, 1);
  bench.dram.inject_error(8, 2);
  sc_core::sc_start(ns(100000));
  EXPECT_EQ(met, std::vector<uint64_t>{8});
  EXPECT_FALSE(sc_core::sc_pending_activity());
}

TEST(Dram, ThePatrolTakesItsPartOfTheBandwidth) {
  Bench bench(patrolled());
  sc_core::sc_start(ns(5000));
  // The burst of 5 us occupies all channels for 512 ns; those before lie in the past.
  EXPECT_EQ(read(bench, 0, 256), ns(512 + 256 + 50));
  EXPECT_EQ(read(bench, 256, 256), ns(512 + 256 + 50));
}

TEST(Dram, APatrolThatWouldFillTheBusIsRefused) {
  auto parameters = patrolled();
  parameters.patrol_period = sc_core::sc_time(1, sc_core::SC_US);
  EXPECT_THROW(Bench{parameters}, std::invalid_argument);
}

TEST(Dram, ScrubbingTakesTheTimeOfItsReadsAndWrites) {
  Bench bench(plain());
  bench.dram.inject_error(0, 0);
  // Eight channels: 4 KiB read in 512 ns, the corrected transaction of channel 0 written in 32; 50 ns of latency each.
  EXPECT_EQ(bench.dram.scrub(0, 4096, ns(0)), ns(512 + 50 + 32 + 50));
  EXPECT_EQ(bench.dram.ecc().scrubbed, 1U);
}

TEST(FastTiming, RefusesParametersThatMakeNoSense) {
  EXPECT_THROW(FastTiming({.channels = 0}), std::invalid_argument);
  EXPECT_THROW(FastTiming({.efficiency = 0}), std::invalid_argument);
  EXPECT_THROW(FastTiming({.interleave_bytes = 48}), std::invalid_argument);
}

}  // namespace
}  // namespace npuvp::dram
