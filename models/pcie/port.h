// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "models/base/power_meter.h"
#include "models/pcie/capabilities/express_capability.h"
#include "models/pcie/error_reporter.h"
#include "models/pcie/fault.h"
#include "models/pcie/link_capabilities.h"
#include "models/pcie/request.h"

namespace npuvp::pcie {

class Link;

/// Receive buffers of a port, which it advertises as credits: headers, and data in units of 16 bytes. 0: infinite.
/// Sizes are nobody's published figures; the defaults keep the longest link that is usual at line rate.
struct ReceiveBuffers {
  uint64_t posted_headers = 256;
  uint64_t posted_data = 4096;
  uint64_t non_posted_headers = 256;
  /// Endpoints and root complexes must advertise infinite completion credits (PCI Express Base Specification 2.6.1.2).
  uint64_t completion_headers = 0;
  uint64_t completion_data = 0;
};

/// One end of a link: what a root port, switch port or endpoint shows to the link that is connected to it (link.h).
class Port {
 public:
  /// Reasons for an upper end to keep its link down.
  enum class Hold : uint8_t { kDisabled = 1, kContainment = 2, kHotReset = 4 };

  /// `receiver` takes what comes out of the link here.
  Port(ExpressCapability& express, LinkCapabilities& link_capabilities, ErrorReporter& errors, RequestSink& receiver,
       const ReceiveBuffers& buffers = {})
      : express_(express),
        link_capabilities_(link_capabilities),
        errors_(errors),
        receiver_(receiver),
        buffers_(buffers) {}
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  /// Sends a request into the link; kTimeout (for a posted one: it is lost) if there is none or it is down.
  Completion transmit(Request& request, Passage& passage) {
    return transmit_ == nullptr ? Completion::kTimeout : transmit_->receive(request, passage);
  }
  [[nodiscard]] bool is_link_up() const;

  /// Upper end: keeps the link down, with everything below in reset, while any reason holds.
  void hold_down(Hold reason, bool held);
  /// Upper end: resets what is below, without taking the link down.
  void reset_below(ResetKind kind);
  /// Upper end: called when the link has come up or gone down; `surprise`: it went down by itself.
  void on_link_change(std::function<void(bool up, bool surprise)> handler) { link_change_ = std::move(handler); }
  /// Upper end: called when something was put into the slot or taken out.
  void on_presence(std::function<void(bool present)> handler) { presence_ = std::move(handler); }
  /// Lower end: called when the link has gone down, which resets what is here; kFundamental: power was lost.
  void on_link_down(std::function<void(ResetKind)> handler) { link_down_ = std::move(handler); }

  /// Lower end: the link runs at `generation` at most, from a retraining now on if it is up.
  void limit_generation(unsigned generation);

  /// Lets `count` of the TLPs to be received here, or what fault.h says, go wrong.
  void inject(Fault fault, unsigned count = 1);

  [[nodiscard]] ExpressCapability& express() { return express_; }
  [[nodiscard]] ErrorReporter& errors() { return errors_; }
  [[nodiscard]] const ReceiveBuffers& buffers() const { return buffers_; }
  [[nodiscard]] Link* link() { return link_; }
  /// Of each byte of a TLP that this end sends or receives, replays included.
  [[nodiscard]] base::EnergyCounter& energy() { return energy_; }

 private:
  friend class Link;

  ExpressCapability& express_;
  LinkCapabilities& link_capabilities_;
  ErrorReporter& errors_;
  RequestSink& receiver_;
  const ReceiveBuffers buffers_;
  Link* link_ = nullptr;
  RequestSink* transmit_ = nullptr;  // the direction of the link that leads away from here
  unsigned holds_ = 0;
  unsigned generation_limit_ = 5;
  PendingFaults faults_;
  base::EnergyCounter energy_;
  std::function<void(bool, bool)> link_change_;
  std::function<void(bool)> presence_;
  std::function<void(ResetKind)> link_down_;
};

}  // namespace npuvp::pcie
