// SPDX-License-Identifier: Apache-2.0
#include "platform/config/board_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "platform/config/card_reader.h"
#include "platform/config/config_error.h"
#include "platform/config/yaml_reader.h"

namespace npuvp::config {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostCards = 32;
constexpr size_t kMostPorts = 32;     // device numbers of a bus
constexpr unsigned kMostDepth = 4;    // switches on the way to a card
constexpr size_t kMostBuses = 255;    // below bus 0
constexpr uint32_t kMostSlot = 8191;  // 13 bits in the slot capabilities
constexpr uint32_t kUnnumbered = ~0U;
constexpr uint32_t kLanes = 16;  // of a link, unless the file says otherwise
constexpr uint32_t kGeneration = 5;
constexpr double kMostLatencyNs = 1e6;

bool is_path(const std::string& name_or_file) {
  return name_or_file.find('/') != std::string::npos || name_or_file.ends_with(".yaml");
}

/// "server-1, server-4": the boards that exist, for a message.
std::string names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return fmt::format("{}", fmt::join(names, ", "));
}

fs::path find_server(const std::string& name_or_file, const fs::path& boards) {
  if (is_path(name_or_file)) return name_or_file;
  const fs::path file = boards / "servers" / (name_or_file + ".yaml");
  if (fs::exists(file)) return file;
  throw ConfigError(
      fmt::format("no board '{}'; known: {}; or give a file", name_or_file, names_in(boards / "servers")));
}

SwitchModel read_switch_model(YamlReader reader) {
  SwitchModel model;
  model.name = reader.text("switch");
  model.vendor_id = static_cast<uint16_t>(reader.integer("vendor_id", 1, 0xfffe));
  model.device_id = static_cast<uint16_t>(reader.integer("device_id", 1, 0xfffe));
  model.generation = reader.integer("generation", 1, 5);
  model.lanes = reader.integer("lanes", 2, 1024);
  model.max_payload_bytes = reader.power_of_two("max_payload_bytes", 128, 4096);
  model.latency_ns = reader.number("latency_ns", 0, kMostLatencyNs);
  model.link_latency_ns = reader.number("link_latency_ns", 0, kMostLatencyNs);
  reader.finish();
  return model;
}

/// Reads the tree of a server from its file and the files that it names.
class ServerReader {
 public:
  ServerReader(const fs::path& file, fs::path boards) : file_(file), boards_(std::move(boards)) {}

  ServerConfig read();

 private:
  /// Where a port is: on a card with a switch of its own, only devices follow.
  struct Place {
    unsigned depth = 0;  // switches above
    bool on_card = false;
  };

  RootComplexConfig read_root_complex(YamlReader reader);
  std::vector<PortConfig> read_ports(YamlReader& parent, const std::string& key, Place place);
  PortConfig read_port(YamlReader& reader, Place place);
  void read_slot(YamlReader& reader, PortConfig& port, Place place);
  std::unique_ptr<SwitchConfig> read_switch(YamlReader reader, Place place);
  void read_card_below(YamlReader& reader, PortConfig& port, Place place);
  YamlReader open(YamlReader& reader, const std::string& key, const std::string& folder);
  void number_slots(std::vector<PortConfig>& ports, uint32_t& next);

  const fs::path file_;
  const fs::path boards_;
  std::vector<CardConfig> cards_;
  std::set<uint32_t> named_slots_;
  size_t buses_ = 0;
};

RootComplexConfig ServerReader::read_root_complex(YamlReader reader) {
  RootComplexConfig root;
  if (reader.has("peer_to_peer")) root.peer_to_peer = reader.boolean("peer_to_peer");
  if (reader.has("latency_ns")) root.latency_ns = reader.number("latency_ns", 0, kMostLatencyNs);
  if (reader.has("host_memory_latency_ns")) {
    root.host_memory_latency_ns = reader.number("host_memory_latency_ns", 0, kMostLatencyNs);
  }
  if (reader.has("max_payload_bytes")) {
    root.max_payload_bytes = reader.power_of_two("max_payload_bytes", 256, 4096);
  }
  reader.finish();
  return root;
}

std::vector<PortConfig> ServerReader::read_ports(YamlReader& parent, const std::string& key, Place place) {
  auto entries = parent.list(key);
  if (entries.size() > kMostPorts) {
    parent.fail(key, fmt::format("{} ports; a bus has room for {}", entries.size(), kMostPorts));
  }
  std::vector<PortConfig> ports;
  for (auto& entry : entries) ports.push_back(read_port(entry, place));
  return ports;
}

PortConfig ServerReader::read_port(YamlReader& reader, Place place) {
  PortConfig port{};
  if (++buses_ > kMostBuses) {
    reader.fail("", fmt::format("too many links and switches; a PCI domain has {} buses for them", kMostBuses));
  }
  port.generation = reader.has("generation") ? reader.integer("generation", 1, 5) : kGeneration;
  port.lanes = reader.has("lanes") ? reader.power_of_two("lanes", 1, 16) : kLanes;
  const bool has_card = reader.has("card");
  if (has_card == reader.has("switch")) reader.fail("", "a port leads to either a 'card' or a 'switch'");
  read_slot(reader, port, place);
  if (has_card) {
    read_card_below(reader, port, place);
  } else {
    if (place.on_card) reader.fail("switch", "a switch on a card leads to devices only; give a 'card'");
    auto below = read_switch(reader.mapping("switch"), place);
    port.link_latency_ns = below->model.link_latency_ns;
    port.below = std::move(below);
  }
  if (reader.has("link_latency_ns")) port.link_latency_ns = reader.number("link_latency_ns", 0, kMostLatencyNs);
  reader.finish();
  return port;
}

void ServerReader::read_slot(YamlReader& reader, PortConfig& port, Place place) {
  if (reader.has("hot_plug")) port.hot_plug = reader.boolean("hot_plug");
  if (place.on_card && port.hot_plug) reader.fail("hot_plug", "devices on one card cannot be taken out one by one");
  if (port.hot_plug && reader.has("switch")) reader.fail("hot_plug", "only a card can be taken out of its slot");
  const bool is_slot = !place.on_card && reader.has("card");
  if (is_slot) port.slot = kUnnumbered;
  if (!reader.has("slot")) return;
  if (!is_slot) reader.fail("slot", "this link does not lead to a slot; leave it out");
  port.slot = reader.integer("slot", 1, kMostSlot);
  if (!named_slots_.insert(port.slot).second) reader.fail("slot", fmt::format("slot {} exists already", port.slot));
}

std::unique_ptr<SwitchConfig> ServerReader::read_switch(YamlReader reader, Place place) {
  if (++place.depth > kMostDepth) {
    reader.fail("", fmt::format("more than {} switches on the way to a card", kMostDepth));
  }
  ++buses_;
  auto result = std::make_unique<SwitchConfig>();
  result->model = read_switch_model(open(reader, "model", "switches"));
  result->lanes = reader.has("lanes") ? reader.power_of_two("lanes", 1, 16) : kLanes;
  result->ports = read_ports(reader, "ports", place);
  uint32_t lanes = result->lanes;
  for (const auto& port : result->ports) lanes += port.lanes;
  if (lanes > result->model.lanes) {
    reader.fail("ports", fmt::format("{} lanes with the upstream port; a {} has {}: use fewer ports or lanes", lanes,
                                     result->model.name, result->model.lanes));
  }
  reader.finish();
  return result;
}

/// A card file describes one device, or a switch on the card with devices below it.
void ServerReader::read_card_below(YamlReader& reader, PortConfig& port, Place place) {
  auto card = open(reader, "card", "cards");
  if (card.has("like")) {
    auto below = open(card, "like", "cards");
    if (below.has("like")) below.fail("like", "a card that others are like must be complete itself");
    card.put_on(below);
  }
  if (card.has("switch")) {
    if (place.on_card) reader.fail("card", "this card has a switch of its own; on a card only devices can be");
    (void)card.text("card");
    auto below = read_switch(card.mapping("switch"), {.depth = place.depth, .on_card = true});
    card.finish();
    port.link_latency_ns = below->model.link_latency_ns;
    port.below = std::move(below);
    return;
  }
  if (cards_.size() == kMostCards) reader.fail("card", fmt::format("more than {} cards", kMostCards));
  cards_.push_back(read_card(card));
  port.link_latency_ns = cards_.back().pcie.link_latency_ns;
  port.below = cards_.size() - 1;
}

/// The file that `key` names, by name in a folder of the boards or by a path relative to the file with the key.
YamlReader ServerReader::open(YamlReader& reader, const std::string& key, const std::string& folder) {
  const std::string name = reader.text(key);
  const fs::path file =
      is_path(name) ? fs::path(reader.file()).parent_path() / name : boards_ / folder / (name + ".yaml");
  if (!fs::exists(file)) {
    reader.fail(key, fmt::format("no file for '{}'; known: {}; or give a path", name, names_in(boards_ / folder)));
  }
  return YamlReader(file.string());
}

/// Slots that the file does not number get the free numbers in order.
void ServerReader::number_slots(std::vector<PortConfig>& ports, uint32_t& next) {
  for (auto& port : ports) {
    if (port.slot == kUnnumbered) {
      while (named_slots_.contains(next)) ++next;
      port.slot = next++;
    }
    if (auto* below = std::get_if<std::unique_ptr<SwitchConfig>>(&port.below)) number_slots((*below)->ports, next);
  }
}

ServerConfig ServerReader::read() {
  YamlReader reader(file_.string());
  ServerConfig server;
  server.name = reader.text("server");
  if (reader.has("root_complex")) server.root_complex = read_root_complex(reader.mapping("root_complex"));
  server.root_ports = read_ports(reader, "root_ports", {});
  reader.finish();
  uint32_t next = 1;
  number_slots(server.root_ports, next);
  server.cards = std::move(cards_);
  return server;
}

}  // namespace

ServerConfig load_server(const std::string& name_or_file, const std::string& boards) {
  return ServerReader(find_server(name_or_file, boards), boards).read();
}

}  // namespace npuvp::config
