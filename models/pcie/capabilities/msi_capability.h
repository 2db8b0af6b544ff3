// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/pcie/capability.h"
#include "npuvp/registers/pcie.h"

namespace npuvp::pcie {

/// MSI capability with one vector: how a root port reports its own events.
class MsiCapability final : public Capability {
 public:
  explicit MsiCapability(base::Environment& environment, const std::string& instance)
      : registers(environment, instance, base::RegisterBank::Rules::kBytewise) {}

  [[nodiscard]] base::RegisterBank& bank() override { return registers; }

  MsiRegisters registers;
};

}  // namespace npuvp::pcie
