// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "models/pcie/request.h"

namespace npuvp::pcie {

/// A bridge or function with its place on a bus.
class BusDevice : public RequestSink {
 public:
  /// True if the request, of memory or configuration type 1, is for the device or something below it.
  [[nodiscard]] virtual bool claims(const Request& request) const = 0;

  /// Reset of everything from here downwards, as at power on.
  virtual void fundamental_reset() = 0;
};

/// A bus inside a component, above several bridges: bus 0 of a root complex, the internal bus of a switch. Routes
/// downstream requests to the device that is addressed (PCI Express Base Specification 2.2.4 and 7.3). Takes no time.
class Bus {
 public:
  /// `device` becomes device and function `devfn`; the place must be free.
  void attach(BusDevice& device, uint8_t devfn);

  /// Unsupported Request if nobody is addressed.
  Completion route(Request& request, Passage& passage);

  void fundamental_reset();

 private:
  struct Place {
    uint8_t devfn;
    BusDevice* device;
  };

  std::vector<Place> places_;
};

}  // namespace npuvp::pcie
