// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "models/pcie/bridge.h"
#include "models/pcie/capabilities/acs_capability.h"
#include "models/pcie/capabilities/dpc_capability.h"
#include "models/pcie/port.h"

namespace npuvp::pcie {

/// A bridge with a link below: root port or downstream port of a switch. Access control (ACS, PCI Express Base
/// Specification 6.12), containment (DPC, 6.2.10) and hot-plug (6.7) happen here.
///
/// A request for a link that is down is answered Unsupported Request without an error report. A hot-pluggable slot has
/// neither attention button nor power controller: taking out and putting in are seen by presence and link state.
class DownstreamPort : public Bridge {
 public:
  struct Parameters {
    uint16_t vendor_id = 0;
    uint16_t device_id = 0;
    unsigned generation = 5;
    unsigned lanes = 16;
    uint32_t max_payload_bytes = 512;
    unsigned number = 0;    ///< Of the port in its component; bit in egress control vectors.
    unsigned ports = 1;     ///< Of the component.
    bool hot_plug = false;  ///< The link leads to a hot-pluggable slot.
    unsigned slot = 0;      ///< Physical slot number, where hot_plug.
    ReceiveBuffers buffers{};
  };

  /// What ACS says to a request for a sibling.
  enum class PeerAction : uint8_t { kForward, kRedirect, kBlock };

  DownstreamPort(std::string name, base::Environment& environment, const Parameters& parameters, uint64_t type);

  [[nodiscard]] Port& port() { return port_; }
  [[nodiscard]] unsigned number() const { return number_; }

  [[nodiscard]] PeerAction peer_action(const Request& request, const DownstreamPort& peer) const;
  /// Completions of reads that a peer made are to go through the root.
  [[nodiscard]] bool redirects_completion(const Request& request) const;
  /// Reports an ACS violation by `request`.
  Completion violate(const Request& request);
  /// True if `request` is for this port's own windows.
  [[nodiscard]] bool owns(const Request& request) const { return in_window(request); }

 protected:
  Completion send_below(Request& request, Passage& passage) override;
  Completion from_below(Request& request, Passage& passage) override;
  void reset_below(ResetKind kind) override;
  void hold_below_in_reset(bool held) override { port_.hold_down(Port::Hold::kHotReset, held); }
  void send_error(MessageCode code) override;

  /// True if a request from below for this port's own windows is the upstream component's to judge.
  [[nodiscard]] virtual bool forwards_own() const;
  /// An error message that was not contained, from below or of this port itself.
  virtual void pass_error(MessageCode code, RoutingId source) = 0;

 private:
  Completion take_message(const Request& request);
  /// Starts containment if software enabled it for such an error; `from_below`: as a message.
  bool contains(MessageCode code, RoutingId source, bool from_below);
  void contain(uint64_t reason, uint64_t extension, RoutingId source);
  void wire_containment();
  void link_changed(bool up, bool surprise);
  void update_hot_plug();

  const unsigned number_;
  const bool has_slot_;
  AcsCapability acs_;
  DpcCapability dpc_;
  Port port_;
  bool hot_plug_pending_ = false;
};

}  // namespace npuvp::pcie
