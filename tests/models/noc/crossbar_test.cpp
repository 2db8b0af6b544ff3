// SPDX-License-Identifier: Apache-2.0
#include "models/noc/crossbar.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <random>
#include <stdexcept>
#include <vector>

#include "tests/models/base/test_bus.h"

namespace npuvp::noc {
namespace {

using test::ns;
using test::TestInitiator;
using test::TestTarget;

constexpr uint64_t kFar = 0x80000000000000;

/// Two initiators and two targets of 4 KiB; all links 1 B/ns unless changed, hop 10 ns.
struct Bench {
  explicit Bench(Crossbar::Parameters given = parameters()) : crossbar("noc", environment, given) {
    environment.set_log_level("all", spdlog::level::off);
    for (size_t i = 0; i < 2; ++i) {
      initiators[i].port.socket.bind(crossbar.initiators[i]);
      targets.push_back(std::make_unique<TestTarget>(sc_core::sc_module_name(i == 0 ? "near" : "far"), 4096));
      crossbar.targets[i].bind(targets[i]->socket);
    }
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }

  static Crossbar::Parameters parameters() {
    return {.initiators = {{1e9}, {1e9}},
            .targets = {{1e9}, {1e9}},
            .map = {{"far", kFar, 4096, 1}, {"near", 0x1000, 4096, 0}, {"bus", 0x10000, 0x1000, 1, 0x100}},
            .hop_latency = ns(10)};
  }

  base::Environment environment;
  Crossbar crossbar;
  sc_core::sc_vector<TestInitiator> initiators{"initiators", 2};
  std::vector<std::unique_ptr<TestTarget>> targets;
};

TEST(Crossbar, DecodesAndGivesTargetsRelativeAddresses) {
  Bench bench;
  EXPECT_EQ(bench.initiators[0].write(0x1010, uint32_t{1}), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(bench.initiators[1].write(kFar + 0x20, uint32_t{2}), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(bench.initiators[1].write(0x10004, uint32_t{3}), tlm::TLM_OK_RESPONSE);
  ASSERT_EQ(bench.targets[0]->log.size(), 1U);
  ASSERT_EQ(bench.targets[1]->log.size(), 2U);
  EXPECT_EQ(bench.targets[0]->log[0].address, 0x10U);
  EXPECT_EQ(bench.targets[1]->log[0].address, 0x20U);
  EXPECT_EQ(bench.targets[1]->log[1].address, 0x104U);
  EXPECT_EQ(bench.initiators[1].read<uint32_t>(0x1010), 1U);
}

TEST(Crossbar, RefusesHolesAndWindowCrossingsNamingTheEngine) {
  Bench bench;
  auto& diagnostics = bench.environment.diagnostics();
  bench.initiators[0].port.sideband().origin = {base::Origin::Kind::kEngine, 3, 0};
  EXPECT_EQ(bench.initiators[0].write(0x2000, uint32_t{1}), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(diagnostics.last_misuse(), "noc: write of 4 bytes at 0x2000 is outside of the address map, by engine 3");
  EXPECT_EQ(bench.initiators[0].write(0xfff, uint32_t{1}), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(bench.initiators[0].write(0x1ffd, uint32_t{1}), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(diagnostics.last_misuse(), "noc: write of 4 bytes at 0x1ffd crosses the end of near, by engine 3");
  EXPECT_EQ(bench.initiators[0].write(~0ULL - 1, uint32_t{1}), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(diagnostics.misuse_count(), 4U);
  EXPECT_TRUE(bench.targets[0]->log.empty());
}

TEST(Crossbar, DoesNotBlameTheHost) {
  Bench bench;
  bench.initiators[0].port.sideband().origin = {base::Origin::Kind::kHost, 0x100, 0};
  EXPECT_EQ(bench.initiators[0].read<uint32_t>(0x2000), 0U);
  EXPECT_EQ(bench.initiators[0].response, tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(bench.environment.diagnostics().misuse_count(), 0U);
}

TEST(Crossbar, WriteCutsThroughBothLinks) {
  auto parameters = Bench::parameters();
  parameters.targets[0].bytes_per_second = 2e9;
  Bench bench(parameters);
  std::array<uint8_t, 100> data{};
  auto delay = ns(3);
  bench.initiators[0].port.write(0x1000, data, delay);
  // First link 3..103; second from 13 at double rate; the last byte arrives at 103 + 10, the acknowledgement 10 later.
  EXPECT_EQ(bench.targets[0]->log[0].arrival, ns(13));
  EXPECT_EQ(delay, ns(103 + 10 + 10));
}

TEST(Crossbar, WriteCompletesWithTheSlowestOfLinksAndTarget) {
  Bench bench;
  bench.targets[0]->latency = ns(500);
  std::array<uint8_t, 100> data{};
  sc_core::sc_time delay;
  bench.initiators[0].port.write(0x1000, data, delay);
  EXPECT_EQ(delay, ns(10 + 500 + 10));
}

TEST(Crossbar, ReadReturnsItsLastByteAHopAfterTheTarget) {
  Bench bench;
  bench.targets[0]->latency = ns(300);
  std::array<uint8_t, 100> data{};
  sc_core::sc_time delay;
  bench.initiators[0].port.read(0x1000, data, delay);
  // Request at the target at 10, data complete there at 310, on the links 210..310 and 220..320.
  EXPECT_EQ(delay, ns(320));
}

TEST(Crossbar, ReadOfAFastTargetIsLimitedByTheLink) {
  Bench bench;
  std::array<uint8_t, 100> data{};
  sc_core::sc_time delay;
  bench.initiators[0].port.read(0x1000, data, delay);
  EXPECT_EQ(delay, ns(10 + 100 + 10));
}

TEST(Crossbar, InitiatorsShareATargetsLink) {
  Bench bench;
  std::array<uint8_t, 100> data{};
  sc_core::sc_time first;
  sc_core::sc_time second;
  bench.initiators[0].port.write(0x1000, data, first);
  bench.initiators[1].port.write(0x1000, data, second);
  EXPECT_EQ(first, ns(10 + 100 + 10));
  EXPECT_EQ(second, ns(10 + 200 + 10));
}

TEST(Crossbar, DirectionsAndPortsDoNotDisturbEachOther) {
  Bench bench;
  std::array<uint8_t, 100> data{};
  for (int direction = 0; direction < 2; ++direction) {
    for (const uint64_t address : {uint64_t{0x1000}, kFar}) {
      sc_core::sc_time delay;
      auto& port = bench.initiators[address == kFar ? 1 : 0].port;
      direction == 0 ? port.write(address, data, delay) : port.read(address, data, delay);
      EXPECT_EQ(delay, ns(120));
    }
  }
}

TEST(Crossbar, ResetForgetsTraffic) {
  Bench bench;
  std::array<uint8_t, 100> data{};
  sc_core::sc_time delay;
  bench.initiators[0].port.write(0x1000, data, delay);
  bench.crossbar.reset();
  delay = sc_core::SC_ZERO_TIME;
  bench.initiators[0].port.write(0x1000, data, delay);
  EXPECT_EQ(delay, ns(120));
}

TEST(Crossbar, PassesDirectAccessOnCutToTheWindow) {
  Bench bench;
  tlm::tlm_dmi dmi;
  ASSERT_TRUE(bench.initiators[0].port.dmi(0x1234, dmi));
  EXPECT_EQ(dmi.get_start_address(), 0x1000U);
  EXPECT_EQ(dmi.get_end_address(), 0x1fffU);
  EXPECT_EQ(dmi.get_dmi_ptr(), bench.targets[0]->data.data());
  // The window "bus" starts at byte 0x100 of its target, which ends before the window does.
  ASSERT_TRUE(bench.initiators[0].port.dmi(0x10000, dmi));
  EXPECT_EQ(dmi.get_start_address(), 0x10000U);
  EXPECT_EQ(dmi.get_end_address(), 0x10000U + 4095 - 0x100);
  EXPECT_EQ(dmi.get_dmi_ptr(), bench.targets[1]->data.data() + 0x100);
  EXPECT_FALSE(bench.initiators[0].port.dmi(0x2000, dmi));
}

TEST(Crossbar, DebugAccessIsCutToTheWindow) {
  Bench bench;
  std::array<uint8_t, 8> data{1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(bench.initiators[0].port.debug_write(0x1ffc, data), 4U);
  EXPECT_EQ(bench.targets[0]->data[4095], 4U);
  EXPECT_EQ(bench.initiators[0].port.debug_read(0x2000, data), 0U);
  EXPECT_EQ(bench.environment.diagnostics().misuse_count(), 0U);
}

TEST(AddressMap, RefusesOverlapEmptinessWrapAndUnknownTargets) {
  const Range low{"low", 0x1000, 0x1000, 0};
  EXPECT_THROW(AddressMap({low, {"high", 0x1fff, 1, 0}}, 1), std::invalid_argument);
  EXPECT_THROW(AddressMap({{"none", 0, 0, 0}}, 1), std::invalid_argument);
  EXPECT_THROW(AddressMap({{"wrap", ~0ULL, 2, 0}}, 1), std::invalid_argument);
  EXPECT_THROW(AddressMap({{"lost", 0, 1, 1}}, 1), std::invalid_argument);
  EXPECT_NO_THROW(AddressMap({low, {"top", ~0ULL - 0xfff, 0x1000, 0}}, 1));
}

TEST(AddressMap, FindsWhatAPlainSearchFinds) {
  std::mt19937 random(3);
  std::vector<Range> ranges;
  for (uint64_t base = 0; base < 1000;) {
    base += random() % 20;
    const uint64_t bytes = 1 + random() % 30;
    ranges.push_back({"r" + std::to_string(base), base, bytes, 0});
    base += bytes;
  }
  std::shuffle(ranges.begin(), ranges.end(), random);
  const AddressMap map(ranges, 1);
  for (uint64_t address = 0; address < 1100; ++address) {
    const Range* expected = nullptr;
    for (const auto& range : ranges) {
      if (address >= range.base && address - range.base < range.bytes) expected = &range;
    }
    const auto* found = map.find(address);
    ASSERT_EQ(found == nullptr, expected == nullptr) << address;
    if (found == nullptr) continue;
    ASSERT_EQ(found->name, expected->name);
  }
}

}  // namespace
}  // namespace npuvp::noc
