// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "models/pcie/capabilities/ari_capability.h"
#include "models/pcie/function.h"
#include "models/pcie/physical_function.h"

namespace npuvp::pcie {

/// A virtual function (PCI Express Base Specification 9): bus mastering, function-level reset, MSI-X and error status
/// of its own; BARs, memory enable, masks and severities are the physical function's.
class VirtualFunction final : public Function {
 public:
  VirtualFunction(const std::string& name, base::Environment& environment, unsigned index,
                  const PhysicalFunction::Parameters& parameters, PhysicalFunction& physical, const Outlet& outlet);

  /// Part of an enabled set: it exists on the bus.
  [[nodiscard]] bool is_enabled() const;
  [[nodiscard]] bool answers_memory() const override;
  [[nodiscard]] bool may_master() const override;
  void note_received(Completion status) override;
  void note_poison(bool as_requester) override;

  [[nodiscard]] ExpressCapability& express() { return express_; }

 private:
  PhysicalFunction& physical_;
  Type0VirtualRegisters header_;
  ExpressCapability express_;
  AerCapability aer_;
  AriCapability ari_;
};

}  // namespace npuvp::pcie
