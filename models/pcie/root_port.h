// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "models/pcie/bridge.h"
#include "models/pcie/port.h"

namespace npuvp::pcie {

/// Root port: a bridge on bus 0 of the root complex with a link below.
class RootPort final : public Bridge {
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
  };

  RootPort(std::string name, base::Environment& environment, const Parameters& parameters);

  [[nodiscard]] Port& port() { return port_; }

 private:
  Completion send_below(Request& request, Passage& passage) override { return port_.transmit(request, passage); }
  void reset_below() override { port_.reset_below(); }

  Port port_;
};

}  // namespace npuvp::pcie
