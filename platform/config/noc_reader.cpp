// SPDX-License-Identifier: Apache-2.0
#include "platform/config/noc_reader.h"

#include <fmt/format.h>

namespace npuvp::config {
namespace {

constexpr double kMega = 1e6;

NocConfig::Topology read_topology(YamlReader& reader) {
  const std::string name = reader.has("topology") ? reader.text("topology") : "crossbar";
  if (name == "crossbar") return NocConfig::Topology::kCrossbar;
  if (name == "ring") return NocConfig::Topology::kRing;
  if (name == "mesh") return NocConfig::Topology::kMesh;
  reader.fail("topology", fmt::format("'{}' is neither crossbar, ring nor mesh", name));
}

void read_shape(YamlReader& reader, NocConfig& noc) {
  if (noc.topology == NocConfig::Topology::kRing) {
    noc.columns = reader.integer("nodes", 3, 64);
  } else {
    noc.columns = reader.integer("columns", 1, 16);
    noc.rows = reader.integer("rows", 1, 16);
  }
}

/// True if a link leads from one node to the other.
bool linked(const NocConfig& noc, uint32_t from, uint32_t to) {
  const uint32_t distance = from < to ? to - from : from - to;
  if (noc.topology == NocConfig::Topology::kRing) return distance == 1 || distance == noc.columns - 1;
  return distance == noc.columns || (distance == 1 && from / noc.columns == to / noc.columns);
}

void read_links(YamlReader& reader, NocConfig& noc) {
  const uint32_t last = noc.columns * noc.rows - 1;
  for (auto& each : reader.list("links")) {
    NocConfig::Link link{};
    link.from = each.integer("from", 0, last);
    link.to = each.integer("to", 0, last);
    if (!linked(noc, link.from, link.to)) {
      each.fail("to", fmt::format("nodes {} and {} are not next to each other", link.from, link.to));
    }
    const double clock = each.has("clock_mhz") ? each.number("clock_mhz", 1, 10000) : noc.clock_mhz;
    link.bytes_per_second = each.integer("bytes_per_cycle", 1, 65536) * clock * kMega;
    each.finish();
    noc.links.push_back(link);
  }
}

void read_nodes(YamlReader reader, NocConfig& noc, uint32_t engines) {
  const auto read = [&](const std::string& port) {
    if (reader.has(port)) noc.nodes[port] = reader.integer(port, 0, noc.columns * noc.rows - 1);
  };
  for (const char* port : kNocInitiatorNames) read(port);
  for (const char* port : kNocTargetNames) read(port);
  for (uint32_t engine = 0; engine < engines; ++engine) read(fmt::format("scratchpad{}", engine));
  reader.finish();
}

void read_quality_of_service(YamlReader reader, NocConfig& noc) {
  noc.quality_of_service = true;
  if (reader.has("window_ns")) noc.qos_window_ns = reader.number("window_ns", 0, 1e6);
  auto weights = reader.mapping("weights");
  for (const char* initiator : kNocInitiatorNames) {
    if (weights.has(initiator)) noc.weights[initiator] = weights.integer(initiator, 1, 255);
  }
  weights.finish();
  reader.finish();
}

}  // namespace

NocConfig read_noc(YamlReader reader, uint32_t engines) {
  NocConfig noc{};
  noc.clock_mhz = reader.number("clock_mhz", 1, 10000);
  noc.port_bytes_per_cycle = reader.integer("port_bytes_per_cycle", 1, 65536);
  noc.memory_port_bytes_per_cycle = reader.integer("memory_port_bytes_per_cycle", 1, 65536);
  noc.hop_latency_ns = reader.number("hop_latency_ns", 0, 1e6);
  noc.topology = read_topology(reader);
  noc.link_bytes_per_second = noc.port_bytes_per_cycle * noc.clock_mhz * kMega;
  if (noc.topology != NocConfig::Topology::kCrossbar) {
    read_shape(reader, noc);
    const double clock = reader.has("link_clock_mhz") ? reader.number("link_clock_mhz", 1, 10000) : noc.clock_mhz;
    noc.link_bytes_per_second = reader.integer("link_bytes_per_cycle", 1, 65536) * clock * kMega;
    if (reader.has("links")) read_links(reader, noc);
    if (reader.has("nodes_of_ports")) read_nodes(reader.mapping("nodes_of_ports"), noc, engines);
  }
  if (reader.has("qos")) read_quality_of_service(reader.mapping("qos"), noc);
  reader.finish();
  return noc;
}

}  // namespace npuvp::config
