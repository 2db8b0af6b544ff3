// SPDX-License-Identifier: Apache-2.0
#include "platform/assembly/server.h"

#include <fmt/format.h>

namespace npuvp::assembly {

Server::Server(sc_core::sc_module_name name, base::Environment& environment, const config::ServerConfig& config,
               const Options& options)
    : sc_module(name), address_space_(assembly::address_space(config)) {
  std::vector<pcie::Endpoint*> endpoints;
  for (unsigned index = 0; index < config.cards.size(); ++index) {
    const auto& card = config.cards[index];
    const RtlSelection rtl(options.rtl, card.neural_engines.count);
    cards_.push_back(
        std::make_unique<Card>(fmt::format("card{}", index).c_str(), environment, card, index, options.rom, rtl));
    endpoints.push_back(&cards_.back()->endpoint());
  }
  fabric_ = std::make_unique<Fabric>(environment, config, endpoints, options.layout);
}

Server::~Server() = default;

}  // namespace npuvp::assembly
