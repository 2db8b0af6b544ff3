// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/pcie/capability.h"
#include "npuvp/registers/pcie.h"

namespace npuvp::pcie {

/// Data Link Feature extended capability (PCI Express Base Specification 7.7.4): what the two ends of a link told each
/// other of scaled flow control. No reset changes it, as none ends the exchange here.
class DataLinkFeatureCapability final : public Capability {
 public:
  DataLinkFeatureCapability(base::Environment& environment, const std::string& instance)
      : registers(environment, instance, base::RegisterBank::Rules::kBytewise) {}

  [[nodiscard]] base::RegisterBank& bank() override { return registers; }
  void reset(ResetKind kind) override {
    const KeptBits status(registers.STATUS);
    Capability::reset(kind);
    status.restore();
  }

  /// The port at the other end as the link came up; nullptr: the link is down, or that port has no such capability.
  void set_remote(const DataLinkFeatureCapability* remote) {
    auto& status = registers.STATUS;
    status.REMOTE_VALID.set(remote != nullptr);
    status.REMOTE_FEATURES.set(remote == nullptr ? 0 : remote->registers.CAPABILITIES.LOCAL_FEATURES.get());
  }

  DataLinkFeatureRegisters registers;
};

}  // namespace npuvp::pcie
