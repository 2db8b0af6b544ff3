// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <utility>

#include "models/pcie/capabilities/express_capability.h"
#include "models/pcie/request.h"

namespace npuvp::pcie {

/// One end of a link: what a root port, switch port or endpoint shows to the link that is connected to it (link.h).
class Port {
 public:
  /// `receiver` takes what comes out of the link here.
  Port(ExpressCapability& express, RequestSink& receiver) : express_(express), receiver_(receiver) {}

  /// Sends a request into the link; Unsupported Request if there is none or it is down.
  Completion transmit(Request& request, Passage& passage) {
    return link_ == nullptr ? Completion::kUnsupportedRequest : link_->receive(request, passage);
  }

  /// Upper end only: puts everything below into hot reset.
  void reset_below() {
    if (reset_below_) reset_below_();
  }
  /// Lower end only: what to do on a hot reset.
  void on_hot_reset(std::function<void()> handler) { hot_reset_ = std::move(handler); }

  [[nodiscard]] ExpressCapability& express() { return express_; }

 private:
  friend class Link;

  ExpressCapability& express_;
  RequestSink& receiver_;
  RequestSink* link_ = nullptr;  // the direction of the link that leads away from here
  std::function<void()> reset_below_;
  std::function<void()> hot_reset_;
};

}  // namespace npuvp::pcie
