// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/pcie/capability.h"
#include "npuvp/registers/pcie.h"

namespace npuvp::pcie {

/// Which access controls a function has. The first four are for ports only.
struct AcsParameters {
  bool source_validation = false;
  bool translation_blocking = false;
  bool upstream_forwarding = false;
  unsigned ports = 0;  ///< Of the switch, up to 256: peer-to-peer egress control. 0: none.
  bool request_redirect = false;
  bool completion_redirect = false;
  bool direct_translated = false;
};

/// Access Control Services extended capability (PCI Express Base Specification 7.7.8 and 6.12). Registers only: the
/// bridge enforces them.
class AcsCapability final : public Capability {
 public:
  AcsCapability(base::Environment& environment, const std::string& instance, const AcsParameters& parameters);

  [[nodiscard]] base::RegisterBank& bank() override { return registers; }
  [[nodiscard]] unsigned bytes() override;

  /// Egress control is on and forbids peer-to-peer requests to port `port`.
  [[nodiscard]] bool blocks_egress_to(unsigned port) const;

  AcsRegisters registers;

 private:
  unsigned ports_;
};

}  // namespace npuvp::pcie
