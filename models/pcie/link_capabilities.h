// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "models/pcie/capabilities/data_link_feature_capability.h"
#include "models/pcie/capabilities/express_capability.h"
#include "models/pcie/capabilities/physical_layer_capability.h"
#include "models/pcie/capabilities/secondary_pcie_capability.h"
#include "models/pcie/config_space.h"

namespace npuvp::pcie {

/// The extended capabilities that every function with a link must have for the speeds that it supports: Secondary PCI
/// Express from 8 GT/s, Data Link Feature and Physical Layer 16.0 GT/s from 16, Physical Layer 32.0 GT/s from 32.
class LinkCapabilities {
 public:
  LinkCapabilities(base::Environment& environment, const std::string& instance, const ExpressParameters& express) {
    using Type = ExpressRegisters::ExpressCapabilitiesRegister;
    const bool is_downstream = express.type == Type::kTypeRootPort || express.type == Type::kTypeDownstreamPort;
    if (express.generation >= 3) {
      secondary_.emplace(environment, instance + ".secondary_pcie", express.lanes, is_downstream);
    }
    if (express.generation >= 4) {
      physical_layer_16_.emplace(environment, instance + ".physical_layer_16", express.lanes);
      data_link_feature_.emplace(environment, instance + ".data_link_feature");
    }
    if (express.generation >= 5) {
      physical_layer_32_.emplace(environment, instance + ".physical_layer_32", express.lanes);
    }
  }

  /// Takes offsets [first, first + kBytes).
  void add_to(ConfigSpace& space, unsigned first) {
    if (secondary_) space.add(*secondary_, first);
    if (physical_layer_16_) space.add(*physical_layer_16_, first + kPhysicalLayer16);
    if (physical_layer_32_) space.add(*physical_layer_32_, first + kPhysicalLayer32);
    if (data_link_feature_) space.add(*data_link_feature_, first + kDataLinkFeature);
  }

  /// Result of link training, 0: the link is down. `remote`: the other end's, nullptr while it is down.
  void set_link(unsigned generation, const LinkCapabilities* remote) {
    if (physical_layer_16_) physical_layer_16_->set_link(generation);
    if (physical_layer_32_) physical_layer_32_->set_link(generation);
    if (!data_link_feature_) return;
    const bool both = remote != nullptr && remote->data_link_feature_;
    data_link_feature_->set_remote(both ? &*remote->data_link_feature_ : nullptr);
  }

  static constexpr unsigned kBytes = 0xa0;

 private:
  static constexpr unsigned kPhysicalLayer16 = 0x30;
  static constexpr unsigned kPhysicalLayer32 = 0x60;
  static constexpr unsigned kDataLinkFeature = 0x90;

  std::optional<SecondaryPcieCapability> secondary_;
  std::optional<PhysicalLayer16Capability> physical_layer_16_;
  std::optional<PhysicalLayer32Capability> physical_layer_32_;
  std::optional<DataLinkFeatureCapability> data_link_feature_;
};

}  // namespace npuvp::pcie
