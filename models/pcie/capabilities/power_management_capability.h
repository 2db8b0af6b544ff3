// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <utility>

#include "models/pcie/capability.h"
#include "npuvp/registers/pcie.h"

namespace npuvp::pcie {

/// Power management capability. In D3hot a function answers configuration requests only (PCI Express Base Specification
/// 5.3.1.4.1); going back to D0 keeps its state. A write of D1 or D2, which are not supported, changes nothing
/// (7.5.2.2).
class PowerManagementCapability final : public Capability {
 public:
  explicit PowerManagementCapability(base::Environment& environment, const std::string& instance)
      : registers(environment, instance, base::RegisterBank::Rules::kBytewise) {
    registers.PMCSR.on_write([this](const base::RegisterWrite& write) {
      auto& control = registers.PMCSR;
      const uint64_t state = control.POWER_STATE.get();
      if (state != control.kPowerStateD0 && state != control.kPowerStateD3hot) control.set(write.before);
      if (control.get() != write.before && on_power_state_) on_power_state_();
    });
  }

  [[nodiscard]] base::RegisterBank& bank() override { return registers; }
  [[nodiscard]] bool in_d0() const { return registers.PMCSR.POWER_STATE.get() == registers.PMCSR.kPowerStateD0; }

  /// Called after software has changed the state.
  void on_power_state(std::function<void()> handler) { on_power_state_ = std::move(handler); }

  PowerManagementRegisters registers;

 private:
  std::function<void()> on_power_state_;
};

}  // namespace npuvp::pcie
