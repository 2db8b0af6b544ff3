// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "models/pcie/capability.h"
#include "npuvp/registers/pcie.h"

namespace npuvp::pcie {

/// What a PCI Express function is capable of.
struct ExpressParameters {
  uint64_t type = 0;                 ///< EXPRESS_CAPABILITIES.TYPE.
  unsigned generation = 5;           ///< Highest link speed, 1 to 5.
  unsigned lanes = 16;               ///< 1, 2, 4, 8 or 16.
  uint32_t max_payload_bytes = 512;  ///< Power of two, 128 to 4096.
  unsigned port_number = 0;
  bool function_level_reset = false;
};

/// PCI Express capability: payload sizes, link state, function-level reset.
class ExpressCapability final : public Capability {
 public:
  ExpressCapability(base::Environment& environment, const std::string& instance, const ExpressParameters& parameters);

  [[nodiscard]] base::RegisterBank& bank() override { return registers; }
  /// LINK_STATUS survives: resetting a function does not take its link down.
  void reset() override;

  /// In use, as software programmed them; a value above the capability counts as the capability.
  [[nodiscard]] uint32_t max_payload_bytes() const;
  [[nodiscard]] uint32_t max_read_request_bytes() const;

  [[nodiscard]] unsigned generation() const { return parameters_.generation; }
  [[nodiscard]] unsigned lanes() const { return parameters_.lanes; }
  /// Highest generation that software allows at the next training.
  [[nodiscard]] unsigned target_generation() const;

  /// Result of link training; lanes 0: the link is down.
  void set_link(unsigned generation, unsigned lanes);

  /// Software asks for a function-level reset (if capable of it), or for the link to be trained or disabled.
  void on_function_level_reset(std::function<void()> handler) { function_level_reset_ = std::move(handler); }
  void on_link_control(std::function<void()> handler) { link_control_ = std::move(handler); }

  ExpressRegisters registers;

 private:
  ExpressParameters parameters_;
  std::function<void()> function_level_reset_;
  std::function<void()> link_control_;
};

}  // namespace npuvp::pcie
