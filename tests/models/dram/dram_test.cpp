// SPDX-License-Identifier: Apache-2.0
#include "models/dram/dram.h"

#include <gtest/gtest.h>

#include <array>
#include <stdexcept>
#include <vector>

#include "tests/models/base/test_bus.h"

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

TEST(FastTiming, RefusesParametersThatMakeNoSense) {
  EXPECT_THROW(FastTiming({.channels = 0}), std::invalid_argument);
  EXPECT_THROW(FastTiming({.efficiency = 0}), std::invalid_argument);
  EXPECT_THROW(FastTiming({.interleave_bytes = 48}), std::invalid_argument);
}

}  // namespace
}  // namespace npuvp::dram
