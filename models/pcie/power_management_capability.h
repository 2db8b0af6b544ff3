// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/pcie/capability.h"
#include "npuvp/registers/pcie.h"

namespace npuvp::pcie {

/// Power management capability. In D3hot a function answers configuration requests only (PCI Express Base Specification
/// 5.3.1.4.1); going back to D0 keeps its state.
class PowerManagementCapability final : public Capability {
 public:
  explicit PowerManagementCapability(base::Environment& environment, const std::string& instance)
      : registers(environment, instance, base::RegisterBank::Rules::kBytewise) {}

  [[nodiscard]] base::RegisterBank& bank() override { return registers; }
  [[nodiscard]] bool in_d0() const { return registers.PMCSR.POWER_STATE.get() == registers.PMCSR.kPowerStateD0; }

  PowerManagementRegisters registers;
};

}  // namespace npuvp::pcie
