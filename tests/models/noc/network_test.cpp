// SPDX-License-Identifier: Apache-2.0
#include "models/noc/network.h"

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>
#include <vector>

#include "models/noc/crossbar.h"
#include "npu/registers/noc.h"
#include "tests/models/base/test_bus.h"

namespace npuvp::noc {
namespace {

using test::ns;
using test::TestInitiator;
using test::TestTarget;
using Kind = Topology::Kind;

constexpr uint64_t kTargetBytes = 0x10000;

/// Target t at t * 64 KiB. Everything 1 B/ns, hop 10 ns, targets at once, unless changed.
struct Bench {
  explicit Bench(const Network::Parameters& given)
      : network("noc", environment, given), initiators("initiators", given.initiators.size()) {
    environment.set_log_level("all", spdlog::level::off);
    for (size_t i = 0; i < initiators.size(); ++i) initiators[i].port.socket.bind(network.initiators[i]);
    for (size_t t = 0; t < given.targets.size(); ++t) {
      targets.push_back(
          std::make_unique<TestTarget>(sc_core::sc_module_name(fmt::format("t{}", t).c_str()), kTargetBytes));
      network.targets[t].bind(targets[t]->socket);
    }
    hart.port.socket.bind(network.registers);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }

  /// Initiators and targets at these nodes.
  static Network::Parameters parameters(const Topology& topology, const std::vector<unsigned>& initiator_nodes,
                                        const std::vector<unsigned>& target_nodes) {
    Network::Parameters made;
    made.topology = topology;
    made.hop_latency = ns(10);
    made.link_bytes_per_second = 1e9;
    for (const unsigned node : initiator_nodes) made.initiators.push_back({"i", 1e9, node, 1});
    for (const unsigned node : target_nodes) {
      const auto t = static_cast<unsigned>(made.targets.size());
      made.targets.push_back({"t", 1e9, node, 0});
      made.map.push_back({fmt::format("target {}", t), t * kTargetBytes, kTargetBytes, t, 0});
    }
    return made;
  }

  sc_core::sc_time read(size_t initiator, size_t target, size_t bytes, sc_core::sc_time delay = {}) {
    std::vector<uint8_t> data(bytes);
    EXPECT_EQ(initiators[initiator].port.read(target * kTargetBytes, data, delay), tlm::TLM_OK_RESPONSE);
    return delay;
  }
  sc_core::sc_time write(size_t initiator, size_t target, size_t bytes, sc_core::sc_time delay = {}) {
    EXPECT_EQ(initiators[initiator].port.write(target * kTargetBytes, std::vector<uint8_t>(bytes), delay),
              tlm::TLM_OK_RESPONSE);
    return delay;
  }

  base::Environment environment;
  Network network;
  sc_core::sc_vector<TestInitiator> initiators;
  std::vector<std::unique_ptr<TestTarget>> targets;
  TestInitiator hart{"hart"};
};

// Every access takes as long as in the crossbar, whose times have tests of their own.
TEST(Network, OneRouterIsTheCrossbar) {
  const auto parameters = Bench::parameters(Topology(Kind::kCrossbar, 1, 1), {0, 0}, {0, 0});
  base::Environment environment;
  Crossbar crossbar(
      "crossbar", environment,
      {.initiators = {{1e9}, {1e9}}, .targets = {{1e9}, {1e9}}, .map = parameters.map, .hop_latency = ns(10)});
  sc_core::sc_vector<TestInitiator> initiators("reference_initiators", 2);
  TestTarget near("near", kTargetBytes);
  TestTarget far("far", kTargetBytes);
  crossbar.targets[0].bind(near.socket);
  crossbar.targets[1].bind(far.socket);
  for (size_t i = 0; i < 2; ++i) initiators[i].port.socket.bind(crossbar.initiators[i]);
  Bench bench(parameters);
  far.latency = bench.targets[1]->latency = ns(70);
  std::mt19937 random(1);
  for (int i = 0; i < 1000; ++i) {
    const size_t initiator = test::below(random, 2);
    const size_t target = test::below(random, 2);
    const bool write = test::below(random, 2) == 0;
    std::vector<uint8_t> data(1 + test::below(random, 300));
    const auto arrival = ns(test::below(random, 20000));
    auto delay = arrival;
    auto& port = initiators[initiator].port;
    ASSERT_EQ(write ? port.write(target * kTargetBytes, data, delay) : port.read(target * kTargetBytes, data, delay),
              tlm::TLM_OK_RESPONSE);
    ASSERT_EQ(write ? bench.write(initiator, target, data.size(), arrival)
                    : bench.read(initiator, target, data.size(), arrival),
              delay)
        << i;
  }
}

TEST(Network, ARingCostsAHopALinkAndTheDataOnce) {
  // Nodes 0 to 5; initiator at 0, targets at 0, 2 and 4 (2 the other way round).
  Bench bench(Bench::parameters(Topology(Kind::kRing, 6, 1), {0}, {0, 2, 4}));
  bench.targets[1]->latency = ns(30);
  // Port, port: 1 hop; port, two links, port: 3 hops. Reads: there, target, back, the data once.
  EXPECT_EQ(bench.read(0, 0, 64), ns(10 + 10 + 64));
  // At the target at 30, ready at 60; data back to back, its last byte not before the first has left at 30 + 64.
  EXPECT_EQ(bench.read(0, 1, 64, ns(1000)), ns(1000 + 30 + 64 + 30));
  EXPECT_EQ(bench.read(0, 2, 64, ns(2000)), ns(2000 + 30 + 64 + 30));
  // A write: the data on its way there, the acknowledgement back.
  EXPECT_EQ(bench.write(0, 1, 64, ns(3000)), ns(3000 + 30 + 64 + 30));
  EXPECT_EQ(bench.targets[1]->log.back().arrival, ns(3030));
}

TEST(Network, AMeshMeetsWhereWaysShareALink) {
  // 0 1 2
  // 3 4 5   initiators at 0 and 1, targets at 2, 5 and 4.
  Bench bench(Bench::parameters(Topology(Kind::kMesh, 3, 2), {0, 1}, {2, 5, 4}));
  // 0 -> 1 -> 2 and 1 -> 2 -> 5 share the link 1 -> 2: the first is there at 20, the second at 10.
  EXPECT_EQ(bench.write(0, 0, 1000), ns(30 + 1000 + 30));
  // Its link is taken from 20 to 1020 ns; so its data is there 20 later than that, and the last hop follows.
  EXPECT_EQ(bench.write(1, 1, 1000), ns(1020 + 20 + 1000 + 30));
  // 1 -> 4 is another link, but the same port of the initiator: taken to 1000.
  EXPECT_EQ(bench.write(1, 2, 1000), ns(1000 + 20 + 1000 + 20));
  EXPECT_EQ(bench.network.busy({1, 2}), ns(2000));
  EXPECT_EQ(bench.network.busy({0, 1}), ns(1000));
  EXPECT_EQ(bench.network.busy({2, 1}), ns(0));
}

TEST(Network, ThroughputIsThatOfTheNarrowestLink) {
  auto parameters = Bench::parameters(Topology(Kind::kMesh, 4, 1), {0}, {3});
  parameters.link_rates = {{1, 2, 0.25e9}};
  Bench bench(parameters);
  sc_core::sc_time last;
  for (int i = 0; i < 10; ++i) last = std::max(last, bench.write(0, 0, 1000));
  // The slow link is reached after 2 hops and takes 4000 ns a burst; then 2 hops to the target and 4 back.
  EXPECT_EQ(last, ns(20 + 10 * 4000 + 20 + 40));
  // Reads come back by 2 -> 1, which is fast.
  EXPECT_EQ(bench.read(0, 0, 1000, ns(100000)), ns(100000 + 40 + 1000 + 40));
}

// Half the frequency: twice the hops, twice the transfer; the target has a clock of its own.
TEST(Network, FollowsItsClock) {
  Bench bench(Bench::parameters(Topology(Kind::kRing, 6, 1), {0}, {2}));
  base::ClockDomain bus("bus");
  bench.network.clock.connect(bus);
  bench.targets[0]->latency = ns(5);
  EXPECT_EQ(bench.write(0, 0, 64), ns(30 + 64 + 30));
  bus.set_divider(2);
  EXPECT_EQ(bench.write(0, 0, 64, ns(1000)), ns(1000 + 2 * (30 + 64 + 30)));
  EXPECT_EQ(bench.read(0, 0, 64, ns(2000)), ns(2000 + 2 * (30 + 64 + 30)));
  sc_core::sc_time last;
  for (int i = 0; i < 10; ++i) last = std::max(last, bench.write(0, 0, 1000, ns(10000)));
  EXPECT_EQ(last, ns(10000 + 2 * (10 * 1000 + 30 + 30)));
  bus.set_divider(16, true);
  EXPECT_EQ(bench.write(0, 0, 64, ns(100000)), ns(100000 + 30 + 64 + 30)) << "on demand: nominal when used";
}

TEST(Network, CountsTheEnergyOfEachByteAndHop) {
  Bench bench(Bench::parameters(Topology(Kind::kMesh, 3, 3), {0}, {0, 8}));
  bench.write(0, 0, 100);
  EXPECT_EQ(bench.network.energy.units(), 100U) << "from port to port";
  bench.read(0, 1, 10, ns(1000));
  EXPECT_EQ(bench.network.energy.units(), 100U + 10 * 5) << "four links, five hops";
}

TEST(Network, ReadAndWriteDataDoNotMeet) {
  Bench bench(Bench::parameters(Topology(Kind::kRing, 3, 1), {0}, {1}));
  EXPECT_EQ(bench.write(0, 0, 1000), ns(20 + 1000 + 20));
  EXPECT_EQ(bench.read(0, 0, 1000), ns(20 + 1000 + 20));
}

TEST(Network, CountsFlows) {
  Bench bench(Bench::parameters(Topology(Kind::kCrossbar, 1, 1), {0, 0}, {0, 0}));
  bench.write(0, 1, 100);
  bench.read(0, 1, 50);
  bench.write(1, 1, 100);  // waits for the target's port, where the first one began at 10
  const auto counter = [&](uint32_t flow, uint32_t offset) {
    bench.hart.write(NOC_FLOW, flow);
    return bench.hart.read<uint64_t>(offset);
  };
  EXPECT_EQ(counter(0x100, NOC_BURSTS), 2U);
  EXPECT_EQ(counter(0x100, NOC_BYTES_WRITTEN), 100U);
  EXPECT_EQ(counter(0x100, NOC_BYTES_READ), 50U);
  EXPECT_EQ(counter(0x100, NOC_WAIT_NS), 0U);
  EXPECT_EQ(counter(0x101, NOC_WAIT_NS), 100U);
  EXPECT_EQ(counter(0x000, NOC_BURSTS), 0U);
  EXPECT_EQ(bench.network.flow(1, 1).bytes_written, 100U);
  bench.hart.write(NOC_CONTROL, uint32_t{1});
  EXPECT_EQ(counter(0x101, NOC_WAIT_NS), 0U);
  bench.hart.write(NOC_FLOW, uint32_t{0x200});
  EXPECT_EQ(bench.environment.diagnostics().misuse_count(), 1U);
  EXPECT_EQ(bench.hart.read<uint32_t>(NOC_CONFIG), 2U | 2U << 8);
}

TEST(Network, AWrongDescriptionIsRefused) {
  const Topology mesh(Kind::kMesh, 2, 2);
  auto node = Bench::parameters(mesh, {4}, {0});
  EXPECT_THROW(Bench{node}, std::invalid_argument);
  auto link = Bench::parameters(mesh, {0}, {0});
  link.link_rates = {{0, 3, 1e9}};
  EXPECT_THROW(Bench{link}, std::invalid_argument);
  auto weight = Bench::parameters(mesh, {0}, {0});
  weight.initiators[0].weight = 0;
  EXPECT_THROW(Bench{weight}, std::invalid_argument);
}

/// Keeps `outstanding` bursts under way to target 0 until `end`, as a DMA engine does; returns the bytes.
uint64_t stream(Bench& bench, size_t initiator, bool write, size_t bytes, size_t outstanding, sc_core::sc_time end) {
  std::vector<sc_core::sc_time> window(outstanding);
  uint64_t moved = 0;
  for (size_t slot = 0;; slot = (slot + 1) % outstanding) {
    const auto now = sc_core::sc_time_stamp();
    if (window[slot] > now) sc_core::wait(window[slot] - now);
    if (sc_core::sc_time_stamp() >= end) return moved;
    const auto taken = write ? bench.write(initiator, 0, bytes) : bench.read(initiator, 0, bytes);
    window[slot] = sc_core::sc_time_stamp() + taken;
    if (window[slot] <= end) moved += bytes;
  }
}

/// Long enough for the first bursts, which come before anybody competes, to be nothing.
constexpr double kStreamNs = 1e7;

/// Streams of all initiators at once; bytes of each. Target and its port: 1 B/ns.
std::vector<uint64_t> compete(Bench& bench, const std::vector<size_t>& bytes, bool write, size_t outstanding = 16) {
  std::vector<uint64_t> moved(bytes.size());
  for (size_t i = 0; i < bytes.size(); ++i) {
    sc_core::sc_spawn([&, i] { moved[i] = stream(bench, i, write, bytes[i], outstanding, ns(kStreamNs)); });
  }
  sc_core::sc_start(ns(2 * kStreamNs));
  return moved;
}

Network::Parameters weighted(const std::vector<uint32_t>& weights, double port_rate) {
  auto parameters = Bench::parameters(Topology(Kind::kCrossbar, 1, 1), std::vector<unsigned>(weights.size(), 0), {0});
  for (size_t i = 0; i < weights.size(); ++i) {
    parameters.initiators[i].weight = weights[i];
    parameters.initiators[i].bytes_per_second = port_rate;
  }
  parameters.quality_of_service = true;
  return parameters;
}

struct Shares {
  std::vector<uint32_t> weights;
  std::vector<size_t> bytes;
  bool write;
};

class QualityOfService : public testing::TestWithParam<Shares> {};

TEST_P(QualityOfService, SharesAContendedTargetByWeightAndWastesLittle) {
  const auto& given = GetParam();
  Bench bench(weighted(given.weights, 4e9));
  bench.targets[0]->latency = ns(100);
  const auto moved = compete(bench, given.bytes, given.write);
  const auto total = static_cast<double>(std::accumulate(moved.begin(), moved.end(), uint64_t{0}));
  EXPECT_GT(total, 0.98 * kStreamNs);
  EXPECT_LE(total, kStreamNs);
  const double all = std::accumulate(given.weights.begin(), given.weights.end(), 0.0);
  for (size_t i = 0; i < moved.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(moved[i]) / total, given.weights[i] / all, 0.01) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, QualityOfService,
                         testing::Values(Shares{{1, 1}, {1024, 1024}, false}, Shares{{3, 1}, {1024, 1024}, false},
                                         Shares{{3, 1}, {1024, 1024}, true}, Shares{{8, 1}, {1024, 1024}, false},
                                         Shares{{1, 1}, {1024, 256}, false},
                                         Shares{{4, 2, 1, 1}, {512, 512, 512, 512}, true},
                                         Shares{{5, 2}, {1024, 1024}, true}, Shares{{7, 3, 2}, {1024, 512, 256}, false},
                                         Shares{{2, 1}, {256, 1024}, true}));

TEST(QualityOfServiceOff, BurstsPassInOrderOfArrival) {
  auto parameters = weighted({8, 1}, 4e9);
  parameters.quality_of_service = false;
  Bench bench(parameters);
  const auto moved = compete(bench, {1024, 1024}, false);
  EXPECT_NEAR(static_cast<double>(moved[0]) / static_cast<double>(moved[1]), 1.0, 0.05);
}

TEST(QualityOfServiceAlone, NobodyIsHeldBack) {
  Bench bench(weighted({1, 200}, 4e9));
  bench.targets[0]->latency = ns(100);
  EXPECT_GT(compete(bench, {1024}, false)[0], 9'800'000U);
}

TEST(QualityOfServiceWeights, ChangeAtRunTime) {
  Bench bench(weighted({1, 1}, 4e9));
  bench.hart.write(NOC_WEIGHT(0), uint32_t{7});
  const auto moved = compete(bench, {1024, 1024}, true);
  EXPECT_NEAR(static_cast<double>(moved[0]) / static_cast<double>(moved[0] + moved[1]), 7.0 / 8, 0.01);
  bench.hart.write(NOC_WEIGHT(0), uint32_t{0});
  bench.hart.write(NOC_WEIGHT(0), uint32_t{256});
  EXPECT_EQ(bench.environment.diagnostics().misuse_count(), 2U);
  EXPECT_EQ(bench.hart.read<uint32_t>(NOC_WEIGHT(0)), 7U);
}

// The block behind the port is slower than the port: its service is what is shared.
TEST(QualityOfServiceOfATarget, SharesWhatTheTargetSustains) {
  auto parameters = weighted({3, 1}, 8e9);
  parameters.targets[0].bytes_per_second = 8e9;
  parameters.targets[0].service_bytes_per_second = 1e9;
  Bench bench(parameters);
  const auto moved = compete(bench, {1024, 1024}, false);
  EXPECT_NEAR(static_cast<double>(moved[0]) / static_cast<double>(moved[0] + moved[1]), 0.75, 0.01);
}

/// Random traffic of all initiators of a mesh; the completions, and whether it ended.
std::vector<uint64_t> random_traffic(bool quality_of_service) {
  auto parameters = Bench::parameters(Topology(Kind::kMesh, 4, 4), {0, 3, 5, 6, 12, 15}, {1, 6, 10, 13});
  parameters.quality_of_service = quality_of_service;
  Bench bench(parameters);
  std::vector<uint64_t> completions;
  unsigned left = 0;
  for (unsigned i = 0; i < 6; ++i) {
    ++left;
    sc_core::sc_spawn([&, i] {
      std::mt19937 random(i);
      for (int burst = 0; burst < 300; ++burst) {
        const size_t target = test::below(random, 4);
        const size_t bytes = 1 + test::below(random, 4096);
        const auto taken = test::below(random, 2) == 0 ? bench.read(i, target, bytes) : bench.write(i, target, bytes);
        // Never longer than everything that all could have had under way before it, each at the slowest link.
        EXPECT_LT(taken, ns(6.0 * 16 * 4096 * 8));
        completions.push_back((sc_core::sc_time_stamp() + taken).value());
        if (test::below(random, 4) == 0) sc_core::wait(taken);
      }
      --left;
    });
  }
  sc_core::sc_start(ns(1e9));
  EXPECT_EQ(left, 0U);
  return completions;
}

TEST(NetworkTraffic, AlwaysEnds) {
  EXPECT_EQ(random_traffic(false).size(), 1800U);
}

TEST(NetworkTraffic, AlwaysEndsWithQualityOfService) {
  EXPECT_EQ(random_traffic(true).size(), 1800U);
}

}  // namespace
}  // namespace npuvp::noc
