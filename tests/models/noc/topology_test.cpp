// SPDX-License-Identifier: Apache-2.0
#include "models/noc/topology.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>

namespace npuvp::noc {
namespace {

using Kind = Topology::Kind;

/// Nodes on the way, with both ends.
std::vector<unsigned> nodes_of(const Topology& topology, unsigned from, unsigned to) {
  std::vector<unsigned> nodes{from};
  for (const std::size_t link : topology.route(from, to)) {
    EXPECT_EQ(topology.links()[link].first, nodes.back());
    nodes.push_back(topology.links()[link].second);
  }
  return nodes;
}

TEST(Topology, ARingTakesTheShorterWay) {
  const Topology ring(Kind::kRing, 6, 1);
  EXPECT_EQ(ring.links().size(), 12U);
  EXPECT_EQ(nodes_of(ring, 0, 2), (std::vector<unsigned>{0, 1, 2}));
  EXPECT_EQ(nodes_of(ring, 0, 4), (std::vector<unsigned>{0, 5, 4}));
  EXPECT_EQ(nodes_of(ring, 5, 1), (std::vector<unsigned>{5, 0, 1}));
  EXPECT_EQ(nodes_of(ring, 1, 4), (std::vector<unsigned>{1, 2, 3, 4})) << "upwards when both are equal";
  EXPECT_EQ(nodes_of(ring, 3, 3), (std::vector<unsigned>{3}));
}

TEST(Topology, AMeshGoesAlongTheRowFirst) {
  const Topology mesh(Kind::kMesh, 4, 3);
  EXPECT_EQ(mesh.links().size(), 2U * (3 * 3 + 4 * 2));
  EXPECT_EQ(nodes_of(mesh, 0, 10), (std::vector<unsigned>{0, 1, 2, 6, 10}));
  EXPECT_EQ(nodes_of(mesh, 10, 0), (std::vector<unsigned>{10, 9, 8, 4, 0}));
}

// In XY routing no way turns from a column into a row, so the links' dependencies have no cycle: no deadlock.
TEST(Topology, EveryWayOfAMeshIsShortestAndNeverTurnsBackIntoARow) {
  const unsigned columns = 5;
  const Topology mesh(Kind::kMesh, columns, 4);
  for (unsigned from = 0; from < 20; ++from) {
    for (unsigned to = 0; to < 20; ++to) {
      const auto nodes = nodes_of(mesh, from, to);
      const auto distance = [&](unsigned a, unsigned b) {
        const int x = static_cast<int>(a % columns) - static_cast<int>(b % columns);
        const int y = static_cast<int>(a / columns) - static_cast<int>(b / columns);
        return static_cast<std::size_t>(std::abs(x) + std::abs(y));
      };
      EXPECT_EQ(nodes.size() - 1, distance(from, to));
      EXPECT_EQ(nodes.back(), to);
      bool in_column = false;
      for (std::size_t i = 1; i < nodes.size(); ++i) {
        const bool vertical = nodes[i] % columns == nodes[i - 1] % columns;
        EXPECT_TRUE(vertical || !in_column) << from << " to " << to;
        in_column = in_column || vertical;
      }
    }
  }
}

TEST(Topology, RefusesShapesThatAreNone) {
  EXPECT_THROW(Topology(Kind::kCrossbar, 2, 1), std::invalid_argument);
  EXPECT_THROW(Topology(Kind::kRing, 2, 1), std::invalid_argument);
  EXPECT_THROW(Topology(Kind::kRing, 4, 2), std::invalid_argument);
  EXPECT_THROW(Topology(Kind::kMesh, 0, 2), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(Topology(Kind::kMesh, 2, 2).link({0, 3})), std::out_of_range);
}

}  // namespace
}  // namespace npuvp::noc
