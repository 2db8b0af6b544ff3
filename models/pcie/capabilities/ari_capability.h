// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/pcie/capability.h"
#include "npuvp/registers/pcie.h"

namespace npuvp::pcie {

/// Alternative Routing-ID Interpretation extended capability (PCI Express Base Specification 7.8.7): an endpoint whose
/// function number is eight bits wide.
class AriCapability final : public Capability {
 public:
  /// `next_function` is the number of the device's next physical function, 0 after the last.
  AriCapability(base::Environment& environment, const std::string& instance, uint8_t next_function = 0)
      : registers(environment, instance, base::RegisterBank::Rules::kBytewise) {
    registers.CAPABILITY.NEXT_FUNCTION.set(next_function);
    registers.CAPABILITY.set_reset(registers.CAPABILITY.get());
  }

  [[nodiscard]] base::RegisterBank& bank() override { return registers; }

  AriRegisters registers;
};

}  // namespace npuvp::pcie
