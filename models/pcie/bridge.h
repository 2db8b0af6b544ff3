// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "models/pcie/bus.h"
#include "models/pcie/capabilities/aer_capability.h"
#include "models/pcie/capabilities/express_capability.h"
#include "models/pcie/capabilities/msi_capability.h"
#include "models/pcie/capabilities/power_management_capability.h"
#include "models/pcie/config_space.h"
#include "models/pcie/error_reporter.h"
#include "models/pcie/link_capabilities.h"

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
  void reset(ResetKind kind) override;

  /// Where requests from the secondary side go.
  void bind_primary(RequestSink& primary) { primary_ = &primary; }

  /// Bus, device and function number as the last configuration write told.
  [[nodiscard]] RoutingId routing_id() const { return routing_id_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Type1Registers& header() { return header_; }
  [[nodiscard]] ExpressCapability& express() { return express_; }
  [[nodiscard]] ErrorReporter& errors() { return errors_; }

  /// Reports Unsupported Request for `request` and returns it.
  Completion refuse(const Request& request);

 protected:
  /// False: a configuration request that reached this bridge is for a device or function beside it.
  [[nodiscard]] virtual bool is_at(RoutingId /*id*/) const { return true; }
  virtual Completion send_below(Request& request, Passage& passage) = 0;
  /// From the secondary side.
  virtual Completion from_below(Request& request, Passage& passage) = 0;
  virtual void reset_below(ResetKind kind) = 0;
  /// Secondary bus reset begins or ends.
  virtual void hold_below_in_reset(bool held) = 0;
  /// An error that this bridge detected itself, on its way to the root.
  virtual void send_error(MessageCode code);

  /// To the primary side, if the bridge may.
  Completion send_above(Request& request, Passage& passage);
  /// True if an error message from below goes on (PCI Express Base Specification 6.2.4, figure 6-3).
  [[nodiscard]] bool forwards(MessageCode code);

  /// Message signalled interrupt of the bridge's own services.
  void interrupt();

  [[nodiscard]] bool is_below(uint8_t bus) const;
  [[nodiscard]] bool in_window(const Request& request) const;
  [[nodiscard]] TlpHeader header_of(const Request& request) const {
    return pcie::header_of(request, express_.max_payload_bytes());
  }
  [[nodiscard]] ConfigSpace& config() { return config_; }
  [[nodiscard]] AerCapability& aer() { return aer_; }
  [[nodiscard]] LinkCapabilities& link_capabilities() { return link_capabilities_; }

  /// Takes requests from the secondary side.
  [[nodiscard]] RequestSink& secondary() { return secondary_; }

  /// First free place for extended capabilities of derived classes.
  static constexpr unsigned kOwnExtendedOffset = 0x200;

 private:
  class Secondary final : public RequestSink {
   public:
    explicit Secondary(Bridge& bridge) : bridge_(bridge) {}
    Completion receive(Request& request, Passage& passage) override { return bridge_.from_below(request, passage); }

   private:
    Bridge& bridge_;
  };

  void access_config(const Request& request);

  std::string name_;
  Type1Registers header_;
  ExpressCapability express_;
  PowerManagementCapability power_;
  MsiCapability msi_;
  AerCapability aer_;
  LinkCapabilities link_capabilities_;
  ConfigSpace config_;
  ErrorReporter errors_;
  Secondary secondary_{*this};
  RequestSink* primary_ = nullptr;
  RoutingId routing_id_ = 0;
};

}  // namespace npuvp::pcie
