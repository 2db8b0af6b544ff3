// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace npuvp::config {

/// A card's NoC as its board file describes it (`noc:`).
struct NocConfig {
  enum class Topology : uint8_t { kCrossbar, kRing, kMesh };
  /// A link between two nodes that is not like the others.
  struct Link {
    uint32_t from;
    uint32_t to;
    double bytes_per_second;
  };

  double clock_mhz;
  uint32_t port_bytes_per_cycle;
  uint32_t memory_port_bytes_per_cycle;
  double hop_latency_ns;

  Topology topology = Topology::kCrossbar;
  uint32_t columns = 1;  ///< Of a mesh; nodes of a ring.
  uint32_t rows = 1;     ///< Of a mesh.
  double link_bytes_per_second = 0;
  std::vector<Link> links;
  std::map<std::string, uint32_t> nodes;  ///< Of ports, by name (noc_reader.h); ports that are not there: node 0.

  bool quality_of_service = false;
  double qos_window_ns = 1000;
  std::map<std::string, uint32_t> weights;  ///< Of initiators, by name; 1 where there is none.

  [[nodiscard]] uint32_t node_of(const std::string& port) const {
    const auto found = nodes.find(port);
    return found == nodes.end() ? 0 : found->second;
  }
  [[nodiscard]] uint32_t weight_of(const std::string& initiator) const {
    const auto found = weights.find(initiator);
    return found == weights.end() ? 1 : found->second;
  }
};

}  // namespace npuvp::config
