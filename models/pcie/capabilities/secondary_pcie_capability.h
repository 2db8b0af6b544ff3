// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/pcie/capability.h"
#include "npuvp/registers/pcie.h"

namespace npuvp::pcie {

/// Secondary PCI Express extended capability (PCI Express Base Specification 7.7.3): equalization for 8 GT/s, which
/// every port of Gen3 or later has. Lanes never fail and training needs no help, so that it only tells.
class SecondaryPcieCapability final : public Capability {
 public:
  /// `is_downstream`: of a root port or a downstream port of a switch.
  SecondaryPcieCapability(base::Environment& environment, const std::string& instance, unsigned lanes,
                          bool is_downstream)
      : registers(environment, instance, base::RegisterBank::Rules::kBytewise), lanes_(lanes) {
    sc_assert(lanes >= 1 && lanes <= kMaxLanes);
    if (!is_downstream) registers.LINK_CONTROL_3.implement_only(0);
    registers.LANE_ERROR_STATUS.implement_only((1ULL << lanes) - 1);
    for (unsigned lane = 0; lane < lanes; ++lane) registers.LANE_EQUALIZATION_CONTROL[lane].set_reset(kPresets);
  }

  [[nodiscard]] base::RegisterBank& bank() override { return registers; }
  /// Lanes that do not exist have no register; the structure ends on a double word.
  [[nodiscard]] unsigned bytes() override {
    return static_cast<unsigned>(registers.LANE_EQUALIZATION_CONTROL[0].info().offset) + (lanes_ + 1) / 2 * 4;
  }

  SecondaryPcieRegisters registers;

 private:
  static constexpr unsigned kMaxLanes = 16;
  static constexpr uint64_t kPresets = 0x0707;  // P7 for both transmitters; ours, and without effect

  unsigned lanes_;
};

}  // namespace npuvp::pcie
