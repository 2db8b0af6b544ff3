// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/pcie/capabilities/ltr_capability.h"
#include "models/pcie/capabilities/serial_number_capability.h"
#include "models/pcie/downstream_port.h"

namespace npuvp::pcie {

class Switch;

/// Upstream port of a switch: the bridge between the link above and the internal bus.
class UpstreamPort final : public Bridge {
 public:
  UpstreamPort(std::string name, base::Environment& environment, const BridgeParameters& parameters,
               const ReceiveBuffers& buffers, uint64_t serial_number, Switch& owner);

  [[nodiscard]] Port& port() { return port_; }
  /// True if the address lies in a window: below the switch, if anywhere.
  [[nodiscard]] bool owns(const Request& request) const { return in_window(request); }
  /// From the internal bus.
  Completion forward(Request& request, Passage& passage) { return send_above(request, passage); }
  bool forwards_error(MessageCode code) { return forwards(code); }

 private:
  /// The link above, as the target of what leaves this bridge.
  class Link final : public RequestSink {
   public:
    explicit Link(Port& port) : port_(port) {}
    Completion receive(Request& request, Passage& passage) override { return port_.transmit(request, passage); }

   private:
    Port& port_;
  };

  /// The only function of the only device on its link.
  [[nodiscard]] bool is_at(RoutingId id) const override { return devfn_of(id) == 0; }
  Completion send_below(Request& request, Passage& passage) override;
  Completion from_below(Request& request, Passage& passage) override { return send_above(request, passage); }
  void reset_below(ResetKind kind) override;
  void hold_below_in_reset(bool held) override;

  Switch& switch_;
  SerialNumberCapability serial_number_;
  LtrCapability latency_tolerance_;
  Port port_;
  Link link_{port_};
};

/// Downstream port of a switch.
class SwitchPort final : public DownstreamPort {
 public:
  SwitchPort(std::string name, base::Environment& environment, const Parameters& parameters)
      : DownstreamPort(std::move(name), environment, parameters,
                       ExpressRegisters::ExpressCapabilitiesRegister::kTypeDownstreamPort) {}

 private:
  void pass_error(MessageCode code, RoutingId source) override;
};

/// A packet switch of the PEX89000 class: an upstream port, an internal bus, downstream ports. Routes by address, by
/// bus and device number, and to the root (PCI Express Base Specification 1.3.3, 2.2.4); a request from below for a
/// sibling goes there directly unless ACS sends it up.
///
/// Timing: `latency` from port to port, cut-through; buffers of the ports give back-pressure.
class Switch {
 public:
  struct Parameters {
    /// Ours, see README.md.
    uint16_t vendor_id = 0x1eff;
    uint16_t device_id = 0x1001;
    unsigned generation = 5;
    unsigned lanes = 16;  ///< Of the upstream port.
    uint32_t max_payload_bytes = 512;
    uint64_t serial_number = 0;
    sc_core::sc_time latency{115, sc_core::SC_NS};  ///< PEX89000 (docs: hardware facts).
    ReceiveBuffers buffers{.completion_headers = 256, .completion_data = 4096};
    /// One a downstream port; ids, number, ports and buffers are filled in.
    std::vector<DownstreamPort::Parameters> ports;
  };

  /// What peers did, of memory requests from below.
  struct PeerCounters {
    uint64_t direct_requests = 0;
    uint64_t direct_bytes = 0;
    uint64_t redirected_requests = 0;  ///< By ACS, towards the root.
    uint64_t redirected_bytes = 0;
    uint64_t redirected_completions = 0;
    uint64_t blocked_requests = 0;
  };

  Switch(const std::string& name, base::Environment& environment, const Parameters& parameters);

  [[nodiscard]] UpstreamPort& upstream() { return *upstream_; }
  [[nodiscard]] SwitchPort& downstream(size_t index) { return *ports_.at(index); }
  [[nodiscard]] size_t ports() const { return ports_.size(); }
  [[nodiscard]] const PeerCounters& peer_counters() const { return counters_; }

 private:
  friend class UpstreamPort;

  /// Where a downstream port sends what comes from below it.
  class FromPort final : public RequestSink {
   public:
    FromPort(Switch& owner, SwitchPort& port) : switch_(owner), port_(port) {}
    Completion receive(Request& request, Passage& passage) override {
      return switch_.route_from(port_, request, passage);
    }

   private:
    Switch& switch_;
    SwitchPort& port_;
  };

  Completion route_down(Request& request, Passage& passage);
  Completion route_from(SwitchPort& source, Request& request, Passage& passage);
  Completion to_peer(const SwitchPort& source, SwitchPort& peer, Request& request, Passage& passage);
  Completion redirect(Request& request, Passage& passage);
  Completion to_root(Request& request, Passage& passage);
  void redirect_completion(const SwitchPort& source, const Request& request, Passage& passage);

  const sc_core::sc_time latency_;
  std::unique_ptr<UpstreamPort> upstream_;
  std::vector<std::unique_ptr<SwitchPort>> ports_;
  std::vector<std::unique_ptr<FromPort>> from_ports_;
  Bus bus_;
  PeerCounters counters_;
  const BusDevice* completion_goal_ = nullptr;  // port that a completion, sent through the root, comes back to
};

}  // namespace npuvp::pcie
