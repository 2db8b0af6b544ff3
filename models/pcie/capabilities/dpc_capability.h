// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <utility>

#include "models/pcie/capability.h"
#include "npuvp/registers/pcie.h"

namespace npuvp::pcie {

/// Downstream Port Containment extended capability (PCI Express Base Specification 7.9.15) without the extensions of
/// root ports. Registers only: the port decides what triggers it.
class DpcCapability final : public Capability {
 public:
  DpcCapability(base::Environment& environment, const std::string& instance, bool poisoned_tlp_egress_blocking = false)
      : registers(environment, instance, base::RegisterBank::Rules::kBytewise) {
    auto& capability = registers.CAPABILITY;
    auto& control = registers.CONTROL;
    capability.POISONED_TLP_EGRESS_BLOCKING.set(poisoned_tlp_egress_blocking);
    capability.set_reset(capability.get());
    uint64_t missing = control.ACTIVE_ERR_COR_ENABLE.mask();
    if (!poisoned_tlp_egress_blocking) missing |= control.POISONED_TLP_EGRESS_BLOCKING_ENABLE.mask();
    control.implement_only(~missing);
    control.on_write([this](const base::RegisterWrite& write) {
      if (registers.CONTROL.SOFTWARE_TRIGGER.in(write) != 0 && software_trigger_) software_trigger_();
    });
    registers.STATUS.on_write([this](const base::RegisterWrite& write) {
      const auto& trigger = registers.STATUS.TRIGGER;
      if ((write.before & trigger.mask()) != 0 && trigger.get() == 0 && release_) release_();
    });
  }

  [[nodiscard]] base::RegisterBank& bank() override { return registers; }

  /// Containment is on: the port keeps its link down.
  [[nodiscard]] bool is_triggered() const { return registers.STATUS.TRIGGER.get() != 0; }

  /// Software triggers containment, or ends it by clearing STATUS.TRIGGER.
  void on_software_trigger(std::function<void()> handler) { software_trigger_ = std::move(handler); }
  void on_release(std::function<void()> handler) { release_ = std::move(handler); }

  DpcRegisters registers;

 private:
  std::function<void()> software_trigger_;
  std::function<void()> release_;
};

}  // namespace npuvp::pcie
