// SPDX-License-Identifier: Apache-2.0
#include "platform/assembly/server.h"

#include <fmt/format.h>

namespace npuvp::assembly {

Server::Server(sc_core::sc_module_name name, base::Environment& environment, const config::ServerConfig& config,
               const Options& options)
    : sc_module(name), root_complex_("root_complex", environment, {}) {
  for (unsigned index = 0; index < config.cards.size(); ++index) {
    const auto& card = config.cards[index];
    const RtlSelection rtl(options.rtl, card.neural_engines.count);
    cards_.push_back(
        std::make_unique<Card>(fmt::format("card{}", index).c_str(), environment, card, index, options.rom, rtl));

    pcie::RootPort::Parameters port;
    port.generation = card.pcie.generation;
    port.lanes = card.pcie.lanes;
    port.max_payload_bytes = card.pcie.max_payload_bytes;
    port.port_number = index;
    root_ports_.push_back(std::make_unique<pcie::RootPort>(fmt::format("root_port{}", index), environment, port));
    root_complex_.add(*root_ports_.back(), static_cast<uint8_t>(index << 3));

    pcie::Link::Parameters link;
    link.generation = card.pcie.generation;
    link.lanes = card.pcie.lanes;
    link.latency = sc_core::sc_time(card.pcie.link_latency_ns, sc_core::SC_NS);
    links_.push_back(std::make_unique<pcie::Link>(fmt::format("link{}", index).c_str(), environment, link));
    links_.back()->connect(root_ports_.back()->port(), cards_.back()->endpoint().port());
  }
}

Server::~Server() = default;

}  // namespace npuvp::assembly
