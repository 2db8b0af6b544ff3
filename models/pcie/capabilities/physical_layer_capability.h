// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/pcie/capability.h"
#include "npuvp/registers/pcie.h"

namespace npuvp::pcie {

/// Physical Layer 16.0 GT/s and 32.0 GT/s extended capabilities (PCI Express Base Specification 7.7.5, 7.7.6):
/// equalization for generation `kGeneration`. Lanes never fail and training needs no help, so that they only tell.
/// A function-level reset changes nothing, and no reset ends the training of the link.
template <typename Registers, unsigned kGeneration>
class PhysicalLayerCapability final : public Capability {
 public:
  PhysicalLayerCapability(base::Environment& environment, const std::string& instance, unsigned lanes)
      : registers(environment, instance, base::RegisterBank::Rules::kBytewise), lanes_(lanes) {
    sc_assert(lanes >= 1 && lanes <= registers.LANE_EQUALIZATION_CONTROL.size());
    for (unsigned lane = 0; lane < lanes; ++lane) registers.LANE_EQUALIZATION_CONTROL[lane].set_reset(kPresets);
    if constexpr (kGeneration == 4) {
      const uint64_t exist = (1ULL << lanes) - 1;
      registers.LOCAL_PARITY_MISMATCH.implement_only(exist);
      registers.FIRST_RETIMER_PARITY_MISMATCH.implement_only(exist);
      registers.SECOND_RETIMER_PARITY_MISMATCH.implement_only(exist);
    }
  }

  [[nodiscard]] base::RegisterBank& bank() override { return registers; }

  /// Lanes that do not exist have no register; the structure ends on a double word.
  [[nodiscard]] unsigned bytes() override {
    return static_cast<unsigned>(registers.LANE_EQUALIZATION_CONTROL[0].info().offset) + (lanes_ + 3) / 4 * 4;
  }

  void reset(ResetKind kind) override {
    if (kind == ResetKind::kFunctionLevel) return;
    const KeptBits trained(registers.STATUS, ~registers.STATUS.EQUALIZATION_REQUEST.mask());
    Capability::reset(kind);
    trained.restore();
  }

  /// Result of link training, 0: the link is down. Equalization for the speed in use was done on the way.
  void set_link(unsigned generation) {
    auto& status = registers.STATUS;
    const bool done = generation >= kGeneration;
    status.EQUALIZATION_COMPLETE.set(done);
    status.EQUALIZATION_PHASE_1.set(done);
    status.EQUALIZATION_PHASE_2.set(done);
    status.EQUALIZATION_PHASE_3.set(done);
  }

  Registers registers;

 private:
  static constexpr uint64_t kPresets = 0x77;  // P7 for both transmitters; ours, and without effect

  unsigned lanes_;
};

using PhysicalLayer16Capability = PhysicalLayerCapability<PhysicalLayer16Registers, 4>;
using PhysicalLayer32Capability = PhysicalLayerCapability<PhysicalLayer32Registers, 5>;

}  // namespace npuvp::pcie
