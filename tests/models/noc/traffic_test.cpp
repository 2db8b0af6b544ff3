// SPDX-License-Identifier: Apache-2.0
// NoCs of 16 nodes under synthetic traffic, beside theory: zero-load latency by hop count, saturation by the busiest
// channel (ring, bisection of the mesh) or the ports, shares by weight.
#include "tests/models/noc/traffic.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace npuvp::noc::traffic {
namespace {

using Kind = Topology::Kind;
using sc_core::SC_MS;
using sc_core::sc_time;
using sc_core::SC_US;

class TrafficTest : public testing::TestWithParam<Kind> {
 protected:
  base::Environment environment;
};

TEST_P(TrafficTest, LatencyOfAnIdleNetworkIsHopsAndTheDataOnce) {
  Field field("field", environment, GetParam(), {});
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  EXPECT_NEAR(field.idle_latency_ns(64), theory_of(GetParam()).latency_ns(64), 0.002);
  EXPECT_NEAR(field.idle_latency_ns(4096), theory_of(GetParam()).latency_ns(4096), 0.002);
}

TEST_P(TrafficTest, SaturatesCloseToTheAnalyticBoundAndNeverAboveIt) {
  Field field("field", environment, GetParam(), {});
  // Writes only: reads have links of their own and would count twice.
  const auto measured = sc_time(100, SC_US);
  const auto result = field.uniform({1024, 32, sc_time(20, SC_US), measured, 100});
  const double rate = static_cast<double>(result.total()) / measured.to_seconds();
  const double bound = theory_of(GetParam()).saturation();
  EXPECT_GT(rate, 0.85 * bound);
  EXPECT_LT(rate, 1.01 * bound);
}

/// Shares in per cent of those that compete for target 0, over `measured` after the first millisecond.
std::vector<double> shares(Field& field, const std::vector<unsigned>& initiators, uint64_t bytes,
                           unsigned write_percent, const sc_time& measured) {
  const auto result = field.hot_spot({bytes, 32, sc_time(1, SC_MS), measured, write_percent}, initiators, 0);
  std::vector<double> each;
  each.reserve(initiators.size());
  for (const unsigned from : initiators) {
    each.push_back(100.0 * static_cast<double>(result.moved[from]) / static_cast<double>(result.total()));
  }
  return each;
}

Field::Options weighted(const std::vector<unsigned>& initiators, const std::vector<uint32_t>& weights, double service) {
  Field::Options options;
  for (size_t i = 0; i < initiators.size(); ++i) options.weights[initiators[i]] = weights[i];
  options.service_bytes_per_second = service;
  return options;
}

// From all corners of the network, what a memory sustains is shared by weight within a percentage point.
TEST_P(TrafficTest, WeightsShareATargetExactly) {
  const std::vector<unsigned> initiators{3, 5, 10, 15};
  const std::vector<uint32_t> weights{8, 4, 2, 1};
  Field field("field", environment, GetParam(), weighted(initiators, weights, 8e9));
  const auto each = shares(field, initiators, 1024, 50, sc_time(10, SC_MS));
  for (size_t i = 0; i < weights.size(); ++i) EXPECT_NEAR(each[i], weights[i] / 15.0 * 100, 1) << i;
}

// Nothing but a link of the mesh, or the target's port, is contended.
TEST_P(TrafficTest, WeightsShareALinkExactly) {
  const std::vector<unsigned> initiators{2, 3};
  const std::vector<uint32_t> weights{5, 2};
  Field field("field", environment, GetParam(), weighted(initiators, weights, 0));
  for (const unsigned write_percent : {0U, 100U}) {
    const auto each = shares(field, initiators, 2048, write_percent, sc_time(2, SC_MS));
    for (size_t i = 0; i < weights.size(); ++i) {
      EXPECT_NEAR(each[i], weights[i] / 7.0 * 100, 1) << i << " writes " << write_percent;
    }
  }
}

std::string name_of(const testing::TestParamInfo<Kind>& tested) {
  if (tested.param == Kind::kRing) return "Ring";
  return tested.param == Kind::kMesh ? "Mesh" : "Crossbar";
}

INSTANTIATE_TEST_SUITE_P(Topologies, TrafficTest, testing::Values(Kind::kCrossbar, Kind::kRing, Kind::kMesh), name_of);

}  // namespace
}  // namespace npuvp::noc::traffic
