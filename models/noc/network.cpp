// SPDX-License-Identifier: Apache-2.0
#include "models/noc/network.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace npuvp::noc {

using sc_core::sc_time;

namespace {

uint64_t to_ns(sc_time time) {
  return time.value() / sc_time(1, sc_core::SC_NS).value();
}

uint32_t config_of(const Network::Parameters& parameters) {
  return static_cast<uint32_t>(parameters.initiators.size() | parameters.targets.size() << 8 |
                               static_cast<size_t>(parameters.topology.kind()) << 16);
}

}  // namespace

Network::Network(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters)
    : Interconnect(name, environment, parameters.initiators.size(), parameters.targets.size(), parameters.map,
                   parameters.hop_latency),
      registers("registers"),
      topology_(parameters.topology),
      initiator_ports_(parameters.initiators),
      target_ports_(parameters.targets),
      registers_(environment, sc_module::name()),
      flows_(parameters.initiators.size() * parameters.targets.size()) {
  check(parameters);
  registers.register_b_transport(this, &Network::registers_transport);
  registers.register_transport_dbg(this, &Network::registers_transport_dbg);
  make_links(parameters);
  make_ways();
  wire_registers(parameters);
}

void Network::check(const Parameters& parameters) const {
  if (initiator_ports_.size() > kMostInitiators || target_ports_.size() > kMostTargets) {
    throw std::invalid_argument(fmt::format("{} initiators and {} targets are too many for a NoC",
                                            initiator_ports_.size(), target_ports_.size()));
  }
  const auto at_node = [this](const std::string& port, unsigned node) {
    if (node < topology_.nodes()) return;
    throw std::invalid_argument(fmt::format("{}: the NoC has no node {}, only {}", port, node, topology_.nodes()));
  };
  for (const auto& port : initiator_ports_) {
    at_node(port.name, port.node);
    if (port.weight == 0 || port.weight > 255) {
      throw std::invalid_argument(fmt::format("{}: weight {} is not 1 to 255", port.name, port.weight));
    }
  }
  for (const auto& port : target_ports_) at_node(port.name, port.node);
  for (const auto& rate : parameters.link_rates) {
    const auto& links = topology_.links();
    if (std::find(links.begin(), links.end(), Topology::Link{rate.from, rate.to}) != links.end()) continue;
    throw std::invalid_argument(fmt::format("nodes {} and {} of the NoC are not linked", rate.from, rate.to));
  }
}

void Network::make_links(const Parameters& parameters) {
  const auto window = parameters.competition_window;
  const size_t initiators_here = initiator_ports_.size();
  for (const auto& port : initiator_ports_) links_.emplace_back(port.bytes_per_second, initiators_here, window);
  for (const auto& port : target_ports_) {
    links_.emplace_back(port.bytes_per_second, initiators_here, window);
    services_.emplace_back(initiators_here, window);
    service_clocks_.emplace_back();
    const double service = port.service_bytes_per_second;
    service_rates_.push_back(service > 0 ? std::min(service, port.bytes_per_second) : port.bytes_per_second);
  }
  for (const auto& link : topology_.links()) {
    double rate = parameters.link_bytes_per_second;
    for (const auto& other : parameters.link_rates) {
      if (link == Topology::Link{other.from, other.to}) rate = other.bytes_per_second;
    }
    links_.emplace_back(rate, initiators_here, window);
  }
}

void Network::make_ways() {
  const size_t first_target = initiator_ports_.size();
  const size_t first_link = first_target + target_ports_.size();
  const auto way_of = [&](size_t first, unsigned from, unsigned to, size_t last) {
    std::vector<size_t> way{first};
    for (const size_t link : topology_.route(from, to)) way.push_back(first_link + link);
    way.push_back(last);
    return way;
  };
  for (size_t i = 0; i < initiator_ports_.size(); ++i) {
    for (size_t t = 0; t < target_ports_.size(); ++t) {
      const unsigned here = initiator_ports_[i].node;
      const unsigned there = target_ports_[t].node;
      ways_.push_back({way_of(i, here, there, first_target + t), way_of(first_target + t, there, here, i)});
    }
  }
}

void Network::wire_registers(const Parameters& parameters) {
  registers_.CONFIG.set_reset(config_of(parameters));
  registers_.SHAPE.set_reset(topology_.columns() | topology_.rows() << 8);
  registers_.QOS.set_reset(parameters.quality_of_service ? 1 : 0);
  for (size_t i = 0; i < initiator_ports_.size(); ++i) registers_.WEIGHT[i].set_reset(initiator_ports_[i].weight);
  for (auto& weight : registers_.WEIGHT) {
    weight.on_write([this, &weight](const base::RegisterWrite& write) {
      if (weight.get() == 0 || weight.get() > 255) {
        environment_.diagnostics().misuse(registers_.name() + "." + weight.info().name,
                                          fmt::format("weight {} is not 1 to 255", weight.get()), write.origin);
        weight.set(write.before);
      }
      update_weights();
    });
  }
  registers_.QOS.on_write([this](const base::RegisterWrite&) { update_weights(); });
  registers_.CONTROL.on_write([this](const base::RegisterWrite& write) {
    if (registers_.CONTROL.CLEAR.in(write) != 0) std::fill(flows_.begin(), flows_.end(), FlowCounters{});
  });
  registers_.FLOW.on_write([this](const base::RegisterWrite& write) {
    if (registers_.FLOW.INITIATOR.get() < initiator_ports_.size() &&
        registers_.FLOW.TARGET.get() < target_ports_.size()) {
      return;
    }
    environment_.diagnostics().misuse(registers_.name() + ".FLOW",
                                      fmt::format("there is no flow {:#x}", registers_.FLOW.get()), write.origin);
    registers_.FLOW.set(write.before);
  });
  registers_.BURSTS.on_read([this](uint64_t) { return selected().bursts; });
  registers_.BYTES_READ.on_read([this](uint64_t) { return selected().bytes_read; });
  registers_.BYTES_WRITTEN.on_read([this](uint64_t) { return selected().bytes_written; });
  registers_.WAIT_NS.on_read([this](uint64_t) { return to_ns(selected().waited); });
  update_weights();
}

void Network::update_weights() {
  regulated_ = registers_.QOS.ENABLE.get() != 0;
  weights_.clear();
  for (size_t i = 0; i < initiator_ports_.size(); ++i) {
    weights_.push_back(static_cast<uint32_t>(registers_.WEIGHT[i].get()));
  }
}

const FlowCounters& Network::selected() {
  return flow(registers_.FLOW.INITIATOR.get(), registers_.FLOW.TARGET.get());
}

void Network::reset() {
  registers_.reset();
  update_weights();
  std::fill(flows_.begin(), flows_.end(), FlowCounters{});
  for (auto& link : links_) {
    for (auto* channel : {&link.request, &link.response}) {
      channel->timeline.reset();
      channel->regulator.reset();
    }
  }
  for (auto& service : services_) service.reset();
}

sc_time Network::busy(const Topology::Link& link) const {
  const auto& found = links_[initiator_ports_.size() + target_ports_.size() + topology_.link(link)];
  return found.request.timeline.busy() + found.response.timeline.busy();
}

unsigned Network::hops(unsigned initiator, unsigned target) const {
  return static_cast<unsigned>(way(initiator, target).there.size()) - 1;
}

sc_time Network::move(unsigned initiator, const Range& range, tlm::tlm_generic_payload& payload, sc_time arrival) {
  const uint64_t bytes = payload.get_data_length();
  const auto& [there, back] = way(initiator, range.target);
  const sc_time latency = latency_of(there.size() - 1);
  auto& flow = flows_[initiator * target_ports_.size() + range.target];
  ++flow.bursts;
  const sc_time admitted = admit(initiator, range.target, arrival, bytes);
  flow.waited += admitted - arrival;

  if (payload.is_write()) {
    // Data goes along with the request, the acknowledgement takes the way back.
    const auto passage = pass(there, &Link::request, initiator, admitted, bytes);
    const sc_time accepted = forward(range, payload, passage.begin);
    flow.waited += passage.waited;
    if (payload.is_response_ok()) {
      flow.bytes_written += bytes;
      energy.count(bytes * (there.size() - 1), passage.begin);
    }
    if (regulated_) services_[range.target].passed(initiator, accepted);
    return std::max(accepted, passage.end) + latency;
  }
  // The request occupies no link. Of the data only the last beat's time is known: it is taken to leave the target back
  // to back at its port's rate, the last beat at the target's completion, the first not before the request has come.
  const sc_time requested = admitted + latency;
  const sc_time ready = forward(range, payload, requested);
  const sc_time duration = duration_on(links_[back.front()].response, bytes);
  const sc_time leaves = ready >= requested + duration ? ready - duration : requested;
  const auto passage = pass(back, &Link::response, initiator, leaves, bytes);
  flow.waited += passage.waited;
  if (payload.is_response_ok()) {
    flow.bytes_read += bytes;
    energy.count(bytes * (back.size() - 1), passage.begin);
  }
  if (regulated_) services_[range.target].passed(initiator, ready);
  return std::max(ready + latency, passage.end);
}

/// Reserves the links of a way one after the other, each from the begin on the one before and a hop.
Network::Passage Network::pass(const std::vector<size_t>& way, Channel Link::*network, unsigned initiator,
                               sc_time arrival, uint64_t bytes) {
  Passage passage;
  const sc_time hop = latency_of(1);
  sc_time head = arrival;
  for (size_t i = 0; i < way.size(); ++i) {
    auto& channel = links_[way[i]].*network;
    auto& [timeline, regulator] = channel;
    const sc_time duration = duration_on(channel, bytes);
    const sc_time earliest = regulated_ ? regulator.admit(initiator, head, duration, weights_) : head;
    const auto slot = regulated_ ? timeline.reserve_pieces(earliest, duration) : timeline.reserve(earliest, duration);
    if (regulated_) regulator.passed(initiator, slot.end);
    passage.waited += slot.begin - head;
    passage.begin = slot.begin;
    passage.end = std::max(passage.end, slot.end + latency_of(way.size() - 1 - i));
    head = slot.begin + hop;
  }
  return passage;
}

/// When a request may set out so that its initiator keeps to its share of the target.
sc_time Network::admit(unsigned initiator, unsigned target, sc_time arrival, uint64_t bytes) {
  if (!regulated_) return arrival;
  const double seconds = static_cast<double>(bytes) / service_rates_[target] * service_clocks_[target].stretch();
  const auto duration =
      std::max(sc_time(seconds, sc_core::SC_SEC), duration_on(links_[initiator_ports_.size() + target].request, bytes));
  return services_[target].admit(initiator, arrival, duration, weights_);
}

void Network::registers_transport(tlm::tlm_generic_payload& payload, sc_time&) {
  registers_.transport(payload);
}

unsigned Network::registers_transport_dbg(tlm::tlm_generic_payload& payload) {
  return registers_.transport_debug(payload);
}

}  // namespace npuvp::noc
