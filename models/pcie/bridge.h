// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "models/pcie/bus.h"
#include "models/pcie/capabilities/express_capability.h"
#include "models/pcie/capabilities/msi_capability.h"
#include "models/pcie/capabilities/power_management_capability.h"
#include "models/pcie/config_space.h"

namespace npuvp::pcie {

/// Identity of a bridge.
struct BridgeParameters {
  uint16_t vendor_id = 0;
  uint16_t device_id = 0;
  uint8_t revision_id = 0;
  ExpressParameters express;
};

/// A PCI-to-PCI bridge (type 1 header): configuration space and routing between its primary (upper) and secondary
/// (lower) side. Software programs bus numbers and memory windows; what fits neither is an Unsupported Request.
/// Root ports and switch ports derive from it and say what is on the secondary side.
class Bridge : public BusDevice {
 public:
  Bridge(std::string name, base::Environment& environment, const BridgeParameters& parameters);
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  /// From the primary side.
  Completion receive(Request& request, Passage& passage) override;
  [[nodiscard]] bool claims(const Request& request) const override;
  void fundamental_reset() override;

  /// Where requests from the secondary side go.
  void bind_primary(RequestSink& primary) { primary_ = &primary; }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Type1Registers& header() { return header_; }
  [[nodiscard]] ExpressCapability& express() { return express_; }

 protected:
  virtual Completion send_below(Request& request, Passage& passage) = 0;
  virtual void reset_below() = 0;

  /// Takes requests from the secondary side.
  [[nodiscard]] RequestSink& secondary() { return secondary_; }

 private:
  class Secondary final : public RequestSink {
   public:
    explicit Secondary(Bridge& bridge) : bridge_(bridge) {}
    Completion receive(Request& request, Passage& passage) override { return bridge_.send_above(request, passage); }

   private:
    Bridge& bridge_;
  };

  Completion send_above(Request& request, Passage& passage);
  void access_config(const Request& request);
  [[nodiscard]] bool is_below(uint8_t bus) const;
  [[nodiscard]] bool in_window(uint64_t address, uint64_t bytes) const;

  std::string name_;
  Type1Registers header_;
  ExpressCapability express_;
  PowerManagementCapability power_;
  MsiCapability msi_;
  ConfigSpace config_;
  Secondary secondary_{*this};
  RequestSink* primary_ = nullptr;
};

}  // namespace npuvp::pcie
