// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/bus.h"

namespace npuvp::pcie {

void Bus::attach(BusDevice& device, uint8_t devfn) {
  for ([[maybe_unused]] const auto& place : places_) sc_assert(place.devfn != devfn);
  places_.push_back({devfn, &device});
}

Completion Bus::route(Request& request, Passage& passage) {
  const bool by_devfn = !request.is_memory() && !request.is_type1;
  for (const auto& [devfn, device] : places_) {
    const bool addressed = by_devfn ? devfn == devfn_of(request.completer) : device->claims(request);
    if (addressed) return device->receive(request, passage);
  }
  return Completion::kUnsupportedRequest;
}

void Bus::fundamental_reset() {
  for (const auto& place : places_) place.device->fundamental_reset();
}

}  // namespace npuvp::pcie
