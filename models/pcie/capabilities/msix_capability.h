// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "models/pcie/capability.h"
#include "npuvp/registers/pcie.h"

namespace npuvp::pcie {

/// Number of MSI-X vectors of a function and where its BARs hold their structures.
struct MsixParameters {
  unsigned vectors = 0;  ///< Up to 2048; 0: no MSI-X.
  unsigned table_bar = 0;
  uint32_t table_offset = 0;  ///< Multiple of 8; 16 bytes a vector.
  unsigned pending_bar = 0;
  uint32_t pending_offset = 0;  ///< Multiple of 8; 8 bytes for 64 vectors.
};

/// MSI-X capability: enable, function mask and the places of the table (msix_table.h).
class MsixCapability final : public Capability {
 public:
  MsixCapability(base::Environment& environment, const std::string& instance, const MsixParameters& parameters)
      : registers(environment, instance, base::RegisterBank::Rules::kBytewise), parameters_(parameters) {
    sc_assert(parameters.vectors > 0 && parameters.vectors <= 2048);
    sc_assert(parameters.table_offset % 8 == 0 && parameters.pending_offset % 8 == 0);
    registers.MESSAGE_CONTROL.set_reset(parameters.vectors - 1);
    registers.TABLE.set_reset(parameters.table_offset | parameters.table_bar);
    registers.PBA.set_reset(parameters.pending_offset | parameters.pending_bar);
  }

  [[nodiscard]] base::RegisterBank& bank() override { return registers; }
  [[nodiscard]] const MsixParameters& parameters() const { return parameters_; }
  [[nodiscard]] bool may_send() const {
    return registers.MESSAGE_CONTROL.ENABLE.get() != 0 && registers.MESSAGE_CONTROL.FUNCTION_MASK.get() == 0;
  }

  MsixRegisters registers;

 private:
  MsixParameters parameters_;
};

}  // namespace npuvp::pcie
