// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/pcie/capability.h"
#include "npuvp/registers/pcie.h"

namespace npuvp::pcie {

/// Latency Tolerance Reporting extended capability of an endpoint (PCI Express Base Specification 7.8.2): scratch for
/// system software, no latency is ever reported.
class LtrCapability final : public Capability {
 public:
  LtrCapability(base::Environment& environment, const std::string& instance)
      : registers(environment, instance, base::RegisterBank::Rules::kBytewise) {}

  [[nodiscard]] base::RegisterBank& bank() override { return registers; }

  LtrRegisters registers;
};

}  // namespace npuvp::pcie
