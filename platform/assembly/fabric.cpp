// SPDX-License-Identifier: Apache-2.0
#include "platform/assembly/fabric.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "platform/assembly/serial_number.h"

namespace npuvp::assembly {
namespace {

using sc_core::SC_NS;
using sc_core::sc_time;

constexpr unsigned kDeviceShift = 3;  // of a device number in devfn

pcie::RootComplex::Parameters root_complex_parameters(const config::RootComplexConfig& config) {
  pcie::RootComplex::Parameters parameters;
  parameters.latency = sc_time(config.latency_ns, SC_NS);
  parameters.host_memory_latency = sc_time(config.host_memory_latency_ns, SC_NS);
  parameters.peer_to_peer = config.peer_to_peer;
  return parameters;
}

pcie::RootPort::Parameters root_port_parameters(const config::ServerConfig& config, const config::PortConfig& port) {
  pcie::RootPort::Parameters parameters;
  parameters.generation = port.generation;
  parameters.lanes = port.lanes;
  parameters.max_payload_bytes = config.root_complex.max_payload_bytes;
  parameters.hot_plug = port.hot_plug;
  parameters.slot = port.slot;
  return parameters;
}

pcie::Switch::Parameters switch_parameters(const config::SwitchConfig& config, size_t index) {
  const auto& model = config.model;
  pcie::Switch::Parameters parameters;
  parameters.vendor_id = model.vendor_id;
  parameters.device_id = model.device_id;
  parameters.generation = model.generation;
  parameters.lanes = config.lanes;
  parameters.max_payload_bytes = model.max_payload_bytes;
  parameters.serial_number = switch_serial_number(index);
  parameters.latency = sc_time(model.latency_ns, SC_NS);
  for (const auto& each : config.ports) {
    pcie::DownstreamPort::Parameters port;
    port.generation = std::min(each.generation, model.generation);
    port.lanes = each.lanes;
    port.max_payload_bytes = model.max_payload_bytes;
    port.hot_plug = each.hot_plug;
    port.slot = each.slot;
    parameters.ports.push_back(port);
  }
  return parameters;
}

/// The links that lead to cards, without what is above them and without their slots.
void collect_card_ports(const std::vector<config::PortConfig>& ports, std::vector<config::PortConfig>& cards) {
  for (const auto& port : ports) {
    if (const auto* card = std::get_if<size_t>(&port.below)) {
      cards.push_back({port.generation, port.lanes, port.link_latency_ns, false, 0, *card});
    } else {
      collect_card_ports(std::get<std::unique_ptr<config::SwitchConfig>>(port.below)->ports, cards);
    }
  }
}

/// A SystemC name has no dots in it.
std::string module_name(std::string port) {
  std::replace(port.begin(), port.end(), '.', '_');
  return "link_" + port;
}

}  // namespace

Fabric::Fabric(base::Environment& environment, const config::ServerConfig& config,
               const std::vector<pcie::Endpoint*>& endpoints, Layout layout)
    : endpoints_(endpoints) {
  sc_assert(endpoints.size() == config.cards.size());
  const bool separate = layout == Layout::kSeparateCards;
  std::vector<config::PortConfig> card_ports;
  if (separate) collect_card_ports(config.root_ports, card_ports);
  const auto& ports = separate ? card_ports : config.root_ports;
  for (unsigned index = 0; index < ports.size(); ++index) {
    if (separate || index == 0) {
      auto parameters = root_complex_parameters(config.root_complex);
      if (separate) parameters.peer_to_peer = false;
      const auto name = separate ? fmt::format("root_complex{}", index) : "root_complex";
      root_complexes_.push_back(std::make_unique<pcie::RootComplex>(name.c_str(), environment, parameters));
    }
    auto parameters = root_port_parameters(config, ports[index]);
    parameters.port_number = separate ? 0 : index;
    parameters.ports = separate ? 1 : static_cast<unsigned>(ports.size());
    const auto name = fmt::format("root_port{}", index);
    root_ports_.push_back(std::make_unique<pcie::RootPort>(name, environment, parameters));
    root_complexes_.back()->add(*root_ports_.back(), static_cast<uint8_t>(parameters.port_number << kDeviceShift));
    add(environment, ports[index], name, *root_ports_.back(), std::nullopt);
  }
}

void Fabric::add(base::Environment& environment, const config::PortConfig& port, std::string name,
                 pcie::DownstreamPort& above, std::optional<size_t> parent) {
  pcie::Link::Parameters link;
  link.generation = port.generation;
  link.lanes = port.lanes;
  link.latency = sc_time(port.link_latency_ns, SC_NS);
  links_.push_back(std::make_unique<pcie::Link>(module_name(name).c_str(), environment, link));
  Segment segment{name, above, *links_.back(), parent, {}, {}, port.slot, port.hot_plug};

  if (const auto* card = std::get_if<size_t>(&port.below)) {
    segment.link.connect(above.port(), endpoints_.at(*card)->port());
    segment.card = *card;
    segments_.push_back(std::move(segment));
    return;
  }
  const auto& below = *std::get<std::unique_ptr<config::SwitchConfig>>(port.below);
  const size_t index = switches_.size();
  auto& chip = add_switch(environment, below);
  segment.link.connect(above.port(), chip.upstream().port());
  segment.switch_below = index;
  const size_t self = segments_.size();
  segments_.push_back(std::move(segment));
  for (size_t number = 0; number < below.ports.size(); ++number) {
    add(environment, below.ports[number], fmt::format("switch{}.port{}", index, number), chip.downstream(number), self);
  }
}

pcie::Switch& Fabric::add_switch(base::Environment& environment, const config::SwitchConfig& config) {
  const size_t index = switches_.size();
  switches_.push_back(
      std::make_unique<pcie::Switch>(fmt::format("switch{}", index), environment, switch_parameters(config, index)));
  return *switches_.back();
}

const Fabric::Segment& Fabric::above_card(size_t card) const {
  return *std::find_if(segments_.begin(), segments_.end(), [card](const Segment& each) { return each.card == card; });
}

std::string Fabric::name_below(const Segment& segment) {
  return segment.card ? fmt::format("card{}", *segment.card) : fmt::format("switch{}.upstream", *segment.switch_below);
}

pcie::Port* Fabric::find_port(const std::string& name) {
  for (const auto& each : segments_) {
    if (each.name == name) return &each.above.port();
    if (name_below(each) != name) continue;
    return each.card ? &endpoint(*each.card).port() : &switch_at(*each.switch_below).upstream().port();
  }
  return nullptr;
}

}  // namespace npuvp::assembly
