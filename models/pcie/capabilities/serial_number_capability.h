// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/pcie/capability.h"
#include "npuvp/registers/pcie.h"

namespace npuvp::pcie {

/// Device serial number extended capability.
class SerialNumberCapability final : public Capability {
 public:
  SerialNumberCapability(base::Environment& environment, const std::string& instance, uint64_t eui64)
      : registers(environment, instance, base::RegisterBank::Rules::kBytewise) {
    registers.LOWER.set_reset(eui64 & 0xffff'ffff);
    registers.UPPER.set_reset(eui64 >> 32);
  }

  [[nodiscard]] base::RegisterBank& bank() override { return registers; }

  SerialNumberRegisters registers;
};

}  // namespace npuvp::pcie
