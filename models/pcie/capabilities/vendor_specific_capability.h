// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/pcie/capability.h"
#include "npuvp/registers/pcie.h"

namespace npuvp::pcie {

/// What a vendor-specific capability says of itself.
struct VendorSpecificParameters {
  uint16_t id = 0;       ///< Chosen by the vendor of the function.
  uint8_t revision = 0;  ///< 0 to 15.
  unsigned bytes = 8;    ///< With both headers: multiple of 4, 8 to 64.
};

/// Vendor-specific extended capability (PCI Express Base Specification 7.9.5). The model fills `registers.DATA`.
class VendorSpecificCapability final : public Capability {
 public:
  VendorSpecificCapability(base::Environment& environment, const std::string& instance,
                           const VendorSpecificParameters& parameters)
      : registers(environment, instance, base::RegisterBank::Rules::kBytewise), bytes_(parameters.bytes) {
    sc_assert(parameters.bytes % 4 == 0 && parameters.bytes >= 8 && parameters.bytes <= registers.size());
    sc_assert(parameters.revision < 16);
    auto& header = registers.VENDOR_HEADER;
    header.ID.set(parameters.id);
    header.REVISION.set(parameters.revision);
    header.LENGTH.set(parameters.bytes);
    header.set_reset(header.get());
  }

  [[nodiscard]] base::RegisterBank& bank() override { return registers; }
  [[nodiscard]] unsigned bytes() override { return bytes_; }

  VendorSpecificRegisters registers;

 private:
  unsigned bytes_;
};

}  // namespace npuvp::pcie
