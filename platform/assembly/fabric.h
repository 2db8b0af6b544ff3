// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/base/environment.h"
#include "models/pcie/endpoint.h"
#include "models/pcie/link.h"
#include "models/pcie/root_complex.h"
#include "models/pcie/root_port.h"
#include "models/pcie/switch.h"
#include "platform/config/board.h"

namespace npuvp::assembly {

/// The PCIe tree of a server: root complex, root ports, switches and links, built from the board file and connected
/// down to the cards' endpoints. Things are named in the order of the tree, depth first: root_port0, switch0.upstream,
/// switch0.port2, card3; a link has the name of its upper port.
///
/// For a host that brings its own tree there is another layout: every card has its link of the board file, but alone
/// below a root complex of its own, without peer-to-peer. root_portN and cardN are the same card's then.
class Fabric {
 public:
  enum class Layout : uint8_t { kTree, kSeparateCards };

  /// A link with the port above it and what is below.
  struct Segment {
    std::string name;  ///< Of the port above.
    pcie::DownstreamPort& above;
    pcie::Link& link;
    std::optional<size_t>
        parent;                  ///< Index of the segment above the switch that `above` belongs to; none: a root port.
    std::optional<size_t> card;  ///< What is below: a card, or else a switch.
    std::optional<size_t> switch_below;
    uint32_t slot = 0;  ///< Physical slot number, 0: none.
    bool hot_plug = false;
  };

  /// `endpoints`: one a card of `config`, in order. To be called in the constructor of the module that holds the
  /// fabric; everything must outlive the simulation.
  Fabric(base::Environment& environment, const config::ServerConfig& config,
         const std::vector<pcie::Endpoint*>& endpoints, Layout layout = Layout::kTree);

  /// `index`: of the card in the layout of separate cards, else 0.
  [[nodiscard]] pcie::RootComplex& root_complex(size_t index = 0) { return *root_complexes_.at(index); }
  /// In the order of the tree, depth first: a segment comes before those below it.
  [[nodiscard]] const std::vector<Segment>& segments() const { return segments_; }
  [[nodiscard]] size_t switch_count() const { return switches_.size(); }
  [[nodiscard]] pcie::Switch& switch_at(size_t index) { return *switches_.at(index); }
  [[nodiscard]] pcie::Endpoint& endpoint(size_t card) { return *endpoints_.at(card); }
  /// The segment whose link leads to the card.
  [[nodiscard]] const Segment& above_card(size_t card) const;

  /// Any port by name, or nullptr.
  [[nodiscard]] pcie::Port* find_port(const std::string& name);

  /// Name of the port at the lower end of a segment: "switch1.upstream" or "card3".
  [[nodiscard]] static std::string name_below(const Segment& segment);

 private:
  /// Adds the segment below `above` and everything that follows.
  void add(base::Environment& environment, const config::PortConfig& port, std::string name,
           pcie::DownstreamPort& above, std::optional<size_t> parent);
  pcie::Switch& add_switch(base::Environment& environment, const config::SwitchConfig& config);

  std::vector<std::unique_ptr<pcie::RootComplex>> root_complexes_;
  const std::vector<pcie::Endpoint*> endpoints_;
  std::vector<std::unique_ptr<pcie::RootPort>> root_ports_;
  std::vector<std::unique_ptr<pcie::Switch>> switches_;
  std::vector<std::unique_ptr<pcie::Link>> links_;
  std::vector<Segment> segments_;
};

}  // namespace npuvp::assembly
