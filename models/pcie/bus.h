// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "models/pcie/capability.h"
#include "models/pcie/request.h"

namespace npuvp::pcie {

/// A bridge or function with its place on a bus.
class BusDevice : public RequestSink {
 public:
  /// True if the request, routed by address or to another bus, is for the device or something below it.
  [[nodiscard]] virtual bool claims(const Request& request) const = 0;

  /// Reset of the device and everything below it.
  virtual void reset(ResetKind kind) = 0;
};

/// A bus inside a component, above several bridges: bus 0 of a root complex, the internal bus of a switch. Routes
/// requests to the device that is addressed (PCI Express Base Specification 2.2.4 and 7.3). Takes no time.
class Bus {
 public:
  /// `device` becomes device and function `devfn`; the place must be free.
  void attach(BusDevice& device, uint8_t devfn);

  /// The device that a request is for, or nullptr.
  [[nodiscard]] BusDevice* find(const Request& request) const;

  void reset(ResetKind kind);

 private:
  struct Place {
    uint8_t devfn;
    BusDevice* device;
  };

  std::vector<Place> places_;
};

}  // namespace npuvp::pcie
