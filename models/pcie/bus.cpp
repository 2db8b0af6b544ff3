// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/bus.h"

namespace npuvp::pcie {

void Bus::attach(BusDevice& device, uint8_t devfn) {
  for ([[maybe_unused]] const auto& place : places_) sc_assert(place.devfn != devfn);
  places_.push_back({devfn, &device});
}

BusDevice* Bus::find(const Request& request) const {
  const bool by_devfn = request.is_config() && !request.is_type1;
  for (const auto& [devfn, device] : places_) {
    if (by_devfn ? devfn == devfn_of(request.completer) : device->claims(request)) return device;
  }
  return nullptr;
}

void Bus::reset(ResetKind kind) {
  for (const auto& place : places_) place.device->reset(kind);
}

}  // namespace npuvp::pcie
