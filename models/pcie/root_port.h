// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "models/pcie/downstream_port.h"

namespace npuvp::pcie {

/// Root port: a bridge on bus 0 of the root complex with a link below. Collects the error messages of everything below
/// (PCI Express Base Specification 6.2.4.1).
class RootPort final : public DownstreamPort {
 public:
  struct Parameters {
    /// Ours, see README.md: nobody's hardware is claimed to be present.
    uint16_t vendor_id = 0x1eff;
    uint16_t device_id = 0x1000;
    unsigned generation = 5;
    unsigned lanes = 16;
    uint32_t max_payload_bytes = 512;
    /// What the host's firmware leaves in DEVICE_CONTROL; Linux then gives the devices below the same.
    uint32_t programmed_payload_bytes = 256;
    unsigned port_number = 0;
    unsigned ports = 1;  ///< Of the root complex.
    bool hot_plug = false;
    unsigned slot = 0;
  };

  RootPort(std::string name, base::Environment& environment, const Parameters& parameters);

 private:
  /// What a switch redirected comes back here: the root complex's policy decides.
  [[nodiscard]] bool forwards_own() const override { return true; }
  void pass_error(MessageCode code, RoutingId source) override;
};

}  // namespace npuvp::pcie
