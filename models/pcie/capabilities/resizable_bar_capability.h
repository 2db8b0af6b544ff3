// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "models/pcie/base_address_registers.h"
#include "models/pcie/capability.h"
#include "npuvp/registers/pcie.h"

namespace npuvp::pcie {

/// A BAR whose size software may choose.
struct ResizableBar {
  unsigned index;  ///< Of a BAR that was added to the BaseAddressRegisters, with the size that it has after a reset.
  uint64_t sizes;  ///< Sum of the sizes in bytes that it can have, powers of two from 1 MiB on, that one included.
};

/// Resizable BAR extended capability (PCI Express Base Specification 7.8.6). A size that is not supported is ignored.
class ResizableBarCapability final : public Capability {
 public:
  /// `bars` must outlive the capability; `resizable` holds one to six.
  ResizableBarCapability(base::Environment& environment, const std::string& instance, BaseAddressRegisters& bars,
                         std::vector<ResizableBar> resizable);

  [[nodiscard]] base::RegisterBank& bank() override { return registers; }
  [[nodiscard]] unsigned bytes() override;
  void reset(ResetKind kind) override;

  /// Called after a BAR has changed its size, also by a reset.
  void on_resize(std::function<void(unsigned bar, uint64_t bytes)> handler) { on_resize_ = std::move(handler); }

  ResizableBarRegisters registers;

 private:
  /// Gives BAR number `entry` of the list the size that its register says.
  void apply(size_t entry);

  BaseAddressRegisters& bars_;
  std::vector<ResizableBar> resizable_;
  std::function<void(unsigned, uint64_t)> on_resize_;
};

}  // namespace npuvp::pcie
