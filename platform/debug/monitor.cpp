// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/monitor.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "models/pcie/fault.h"
#include "platform/debug/noc_report.h"

namespace npuvp::debug {
namespace {

using Json = nlohmann::ordered_json;
using assembly::Fabric;

constexpr unsigned kMostFaults = 1000;
constexpr size_t kMostQuoted = 40;  // bytes of a peer's words that a message repeats

/// Something in a command is wrong; the text is for its sender.
class CommandError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> words;
  constexpr std::string_view kBlanks = " \t\r";
  for (size_t begin = line.find_first_not_of(kBlanks); begin != line.npos;
       begin = line.find_first_not_of(kBlanks, begin)) {
    const size_t end = std::min(line.find_first_of(kBlanks, begin), line.size());
    words.emplace_back(line.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

std::string shortened(const std::string& word) {
  return word.size() <= kMostQuoted ? word : word.substr(0, kMostQuoted) + "...";
}

std::string bdf(pcie::RoutingId id) {
  return fmt::format("{:02x}:{:02x}.{}", pcie::bus_of(id), pcie::devfn_of(id) >> 3, pcie::devfn_of(id) & 7);
}

/// Below which everything is taken out together: the nearest slot at or above `index`, if there is one.
std::optional<size_t> slot_of(const Fabric& fabric, size_t index) {
  const auto& segments = fabric.segments();
  for (std::optional<size_t> at = index; at; at = segments[*at].parent) {
    if (segments[*at].hot_plug) return at;
  }
  return std::nullopt;
}

/// "card3" or "switch1": what a segment leads to.
std::string thing_below(const Fabric::Segment& segment) {
  return segment.card ? fmt::format("card{}", *segment.card) : fmt::format("switch{}", *segment.switch_below);
}

Json link_state(const Fabric::Segment& segment) {
  const auto& status = segment.above.port().express().registers.LINK_STATUS;
  Json link;
  if (segment.link.is_up()) {
    link["state"] = "up";
    link["generation"] = status.SPEED.get();
    link["lanes"] = status.WIDTH.get();
  } else {
    link["state"] = status.TRAINING.get() != 0 ? "training" : "down";
  }
  return link;
}

Json direction(const pcie::LinkDirection& way) {
  Json json;
  json["tlps"] = way.tlps();
  json["wire_bytes"] = way.wire_bytes();
  json["replays"] = way.replays();
  json["busy_seconds"] = way.busy().to_seconds();
  return json;
}

Json link_counters(const Fabric::Segment& segment) {
  Json json;
  json["name"] = segment.name;
  json["below"] = Fabric::name_below(segment);
  json["downstream"] = direction(segment.link.downstream());
  json["upstream"] = direction(segment.link.upstream());
  return json;
}

Json switch_counters(size_t index, const pcie::Switch& chip) {
  const auto& peers = chip.peer_counters();
  Json json;
  json["name"] = fmt::format("switch{}", index);
  json["direct_requests"] = peers.direct_requests;
  json["direct_bytes"] = peers.direct_bytes;
  json["redirected_requests"] = peers.redirected_requests;
  json["redirected_bytes"] = peers.redirected_bytes;
  json["redirected_completions"] = peers.redirected_completions;
  json["blocked_requests"] = peers.blocked_requests;
  return json;
}

Json root_counters(const pcie::RootComplex& root) {
  const auto& peers = root.peer_counters();
  Json json;
  json["peer_requests"] = peers.requests;
  json["peer_bytes"] = peers.bytes;
  json["peer_completions"] = peers.completions;
  json["refused_requests"] = peers.refused;
  return json;
}

unsigned parse_count(const std::string& word) {
  unsigned count = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), count);
  if (error != std::errc{} || end != word.data() + word.size() || count == 0 || count > kMostFaults) {
    throw CommandError(fmt::format("inject: COUNT '{}' is not a number from 1 to {}", shortened(word), kMostFaults));
  }
  return count;
}

/// Decimal, or hexadecimal with 0x.
uint64_t parse_offset(const std::string& word, uint64_t size) {
  const bool hexadecimal = word.starts_with("0x") || word.starts_with("0X");
  const char* begin = word.data() + (hexadecimal ? 2 : 0);
  uint64_t offset = 0;
  const auto [end, error] = std::from_chars(begin, word.data() + word.size(), offset, hexadecimal ? 16 : 10);
  if (error != std::errc{} || end != word.data() + word.size() || offset % 8 != 0 || offset >= size) {
    throw CommandError(fmt::format("spoil: OFFSET '{}' is not a multiple of 8 below {:#x}, the size of the card's DRAM",
                                   shortened(word), size));
  }
  return offset;
}

}  // namespace

const std::vector<Monitor::Command>& Monitor::commands() {
  static const std::vector<Command> kCommands{
      {"help", "", 0, 0, "This list.", &Monitor::help},
      {"time", "", 0, 0, "Simulated time.", &Monitor::time},
      {"topology", "", 0, 0, "The fabric as a tree: names, bus numbers, links, slots.", &Monitor::topology},
      {"counters", "[NAME]", 0, 1, "Traffic of links, peers of switches and root complex; all, or one of them.",
       &Monitor::counters},
      {"noc", "CARD", 1, 1, "Traffic on a card: bursts, bytes and waiting of each initiator to each target.",
       &Monitor::noc},
      {"inject", "PORT FAULT [COUNT]", 2, 3, "Lets the next COUNT TLPs that PORT receives go wrong.", &Monitor::inject},
      {"unplug", "NAME", 1, 1, "Takes a card out of its slot, without notice.", &Monitor::unplug},
      {"plug", "NAME", 1, 1, "Puts the card back.", &Monitor::plug},
      {"sensors", "[CARD]", 0, 1, "Temperature, power, energy and P-state of cards.", &Monitor::sensors},
      {"ambient", "CARD CELSIUS", 2, 2, "Sets the temperature of the air at the card's inlet.", &Monitor::ambient},
      {"hang", "CARD ENGINE", 2, 2,
       "Lets the next command in ENGINE (ne0, neural_dma0, task_dma0, external_hdma0, ...) never end.", &Monitor::hang},
      {"spoil", "CARD OFFSET", 2, 2,
       "Flips two bits of the 64-bit word at OFFSET in the card's DRAM: an uncorrectable error.", &Monitor::spoil},
  };
  return kCommands;
}

Json Monitor::execute(std::string_view line) {
  try {
    auto words = split(line);
    if (words.empty()) throw CommandError("empty line; 'help' lists the commands");
    const auto& known = commands();
    const auto command =
        std::find_if(known.begin(), known.end(), [&](const Command& each) { return each.name == words[0]; });
    if (command == known.end()) {
      throw CommandError(fmt::format("no command '{}'; 'help' lists them", shortened(words[0])));
    }
    words.erase(words.begin());
    if (words.size() < command->least || words.size() > command->most) {
      throw CommandError(fmt::format("{}: {} arguments; usage: {} {}", command->name, words.size(), command->name,
                                     command->arguments));
    }
    return (this->*command->action)(words);
  } catch (const CommandError& error) {
    return Json{{"error", error.what()}};
  }
}

Json Monitor::help(const Words& /*arguments*/) {
  Json json;
  for (const auto& each : commands()) {
    const std::string arguments = each.arguments;
    json["commands"].push_back(
        {{"usage", arguments.empty() ? each.name : each.name + (" " + arguments)}, {"description", each.description}});
  }
  json["faults"] = pcie::kFaultNames;
  return json;
}

Json Monitor::time(const Words& /*arguments*/) {
  const auto now = sc_core::sc_time_stamp();
  Json json;
  json["simulated_seconds"] = now.to_seconds();
  json["simulated_ps"] = now.value();
  return json;
}

Json Monitor::noc(const Words& arguments) {
  const size_t cards = server_ == nullptr ? 0 : server_->card_count();
  for (size_t index = 0; index < cards; ++index) {
    const auto name = fmt::format("card{}", index);
    if (arguments[0] == name) return Json{{"card", name}, {"flows", describe_flows(server_->card(index).noc())}};
  }
  throw CommandError(fmt::format("noc: no card '{}'; there are card0 to card{}", shortened(arguments[0]), cards - 1));
}

std::string Monitor::port_names() const {
  std::vector<std::string> names;
  for (const auto& each : fabric_.segments()) {
    names.push_back(each.name);
    names.push_back(Fabric::name_below(each));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

Json Monitor::describe_below(const Segment& segment) const {
  Json json;
  json["name"] = thing_below(segment);
  if (segment.card) {
    json["bdf"] = bdf(fabric_.endpoint(*segment.card).physical_function().routing_id());
    return json;
  }
  json["bdf"] = bdf(fabric_.switch_at(*segment.switch_below).upstream().routing_id());
  const auto index = static_cast<size_t>(&segment - fabric_.segments().data());
  json["ports"] = describe_children(index);
  return json;
}

Json Monitor::describe(const Segment& segment) const {
  Json json;
  json["name"] = segment.name;
  json["bdf"] = bdf(segment.above.routing_id());
  json["link"] = link_state(segment);
  if (segment.slot != 0) json["slot"] = segment.slot;
  if (segment.hot_plug) json["hot_plug"] = true;
  json["present"] = segment.link.is_present();
  json["below"] = describe_below(segment);
  return json;
}

Json Monitor::describe_children(size_t parent) const {
  Json json = Json::array();
  for (const auto& each : fabric_.segments()) {
    if (each.parent == parent) json.push_back(describe(each));
  }
  return json;
}

Json Monitor::topology(const Words& /*arguments*/) {
  Json json;
  for (const auto& each : fabric_.segments()) {
    if (!each.parent) json["root_ports"].push_back(describe(each));
  }
  return json;
}

Json Monitor::counters(const Words& arguments) {
  Json json;
  const std::string name = arguments.empty() ? "" : arguments[0];
  for (const auto& each : fabric_.segments()) {
    if (name.empty() || name == each.name || name == Fabric::name_below(each)) {
      json["links"].push_back(link_counters(each));
    }
  }
  for (size_t index = 0; index < fabric_.switch_count(); ++index) {
    if (name.empty() || name == fmt::format("switch{}", index)) {
      json["switches"].push_back(switch_counters(index, fabric_.switch_at(index)));
    }
  }
  if (name.empty() || name == "root_complex") json["root_complex"] = root_counters(fabric_.root_complex());
  if (!json.empty()) return json;
  std::string switches;
  for (size_t index = 0; index < fabric_.switch_count(); ++index) switches += fmt::format(", switch{}", index);
  throw CommandError(fmt::format("counters: nothing is named '{}'; known: root_complex{}, {}", shortened(name),
                                 switches, port_names()));
}

Json Monitor::inject(const Words& arguments) {
  auto* port = fabric_.find_port(arguments[0]);
  if (port == nullptr) {
    throw CommandError(fmt::format("inject: no port '{}'; known: {}", shortened(arguments[0]), port_names()));
  }
  const auto fault = pcie::fault_named(arguments[1]);
  if (!fault) {
    throw CommandError(
        fmt::format("inject: no fault '{}'; known: {}", shortened(arguments[1]), fmt::join(pcie::kFaultNames, ", ")));
  }
  const unsigned count = arguments.size() > 2 ? parse_count(arguments[2]) : 1;
  port->inject(*fault, count);
  Json json;
  json["port"] = arguments[0];
  json["injected"] = arguments[1];
  json["count"] = count;
  return json;
}

Json Monitor::unplug(const Words& arguments) {
  return set_present(arguments[0], false);
}

Json Monitor::plug(const Words& arguments) {
  return set_present(arguments[0], true);
}

assembly::Card& Monitor::card_named(const char* command, const std::string& name) const {
  if (server_ == nullptr) throw CommandError(fmt::format("{}: this monitor sees the fabric only", command));
  for (size_t index = 0; index < server_->card_count(); ++index) {
    if (name == fmt::format("card{}", index)) return server_->card(index);
  }
  throw CommandError(
      fmt::format("{}: no card '{}'; there are card0 to card{}", command, shortened(name), server_->card_count() - 1));
}

Json Monitor::hang(const Words& arguments) {
  if (!card_named("hang", arguments[0]).hang_next_command(arguments[1])) {
    throw CommandError(
        fmt::format("hang: {} has no engine '{}'; engines are neN and neural_dmaN, with N below the number "
                    "of Neural Engines, task_dma0, external_hdma0 and 1, device_hdma0 and 1",
                    arguments[0], shortened(arguments[1])));
  }
  Json json;
  json["card"] = arguments[0];
  json["hangs"] = arguments[1];
  return json;
}

Json Monitor::spoil(const Words& arguments) {
  auto& dram = card_named("spoil", arguments[0]).dram();
  const uint64_t offset = parse_offset(arguments[1], dram.storage().size());
  // Two wrong bits of a word: SECDED detects them and cannot correct them. Again the same two would take them back.
  dram.inject_error(offset, 0);
  dram.inject_error(offset, 1);
  Json json;
  json["card"] = arguments[0];
  json["uncorrectable"] = offset;
  return json;
}

Json Monitor::set_present(const std::string& name, bool present) {
  const char* command = present ? "plug" : "unplug";
  const auto& segments = fabric_.segments();
  const auto found =
      std::find_if(segments.begin(), segments.end(), [&](const Segment& each) { return thing_below(each) == name; });
  if (found == segments.end()) {
    std::vector<std::string> slots;
    for (const auto& each : segments) {
      if (each.hot_plug) slots.push_back(thing_below(each));
    }
    throw CommandError(fmt::format("{}: no card '{}'; in hot-pluggable slots: {}", command, shortened(name),
                                   slots.empty() ? "none" : fmt::format("{}", fmt::join(slots, ", "))));
  }
  const auto slot = slot_of(fabric_, static_cast<size_t>(found - segments.begin()));
  if (!slot) {
    throw CommandError(fmt::format(
        "{}: '{}' is not in a hot-pluggable slot; use a board with 'hot_plug: true' at {}, or inject surprise-down",
        command, name, found->name));
  }
  const auto& segment = segments[*slot];
  if (&segment != &*found) {
    throw CommandError(
        fmt::format("{}: '{}' is fixed below {}; {} that", command, name, thing_below(segment), command));
  }
  if (segment.link.is_present() == present) {
    throw CommandError(fmt::format("{}: '{}' is {} its slot already", command, name, present ? "in" : "out of"));
  }
  segment.link.set_present(present);
  Json json;
  json["name"] = name;
  json["slot"] = segment.slot;
  json["present"] = present;
  return json;
}

}  // namespace npuvp::debug
