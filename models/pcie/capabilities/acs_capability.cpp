// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/capabilities/acs_capability.h"

#include <algorithm>

namespace npuvp::pcie {
namespace {

constexpr unsigned kBitsPerRegister = 32;
[[maybe_unused]] constexpr unsigned kMaxPorts = 256;

}  // namespace

AcsCapability::AcsCapability(base::Environment& environment, const std::string& instance,
                             const AcsParameters& parameters)
    : registers(environment, instance, base::RegisterBank::Rules::kBytewise), ports_(parameters.ports) {
  sc_assert(parameters.ports <= kMaxPorts);
  // Upstream forwarding and direct translated peer-to-peer qualify the redirection of requests (7.7.8.2).
  sc_assert(!parameters.direct_translated || parameters.request_redirect);
  auto& capability = registers.CAPABILITY;
  capability.SOURCE_VALIDATION.set(parameters.source_validation);
  capability.TRANSLATION_BLOCKING.set(parameters.translation_blocking);
  capability.REQUEST_REDIRECT.set(parameters.request_redirect);
  capability.COMPLETION_REDIRECT.set(parameters.completion_redirect);
  capability.UPSTREAM_FORWARDING.set(parameters.upstream_forwarding);
  capability.EGRESS_CONTROL.set(ports_ > 0);
  capability.DIRECT_TRANSLATED.set(parameters.direct_translated);
  registers.CONTROL.implement_only(capability.get());  // the same bits before the size of the vector is there
  capability.EGRESS_VECTOR_BITS.set(ports_);           // 256 is written as 0
  capability.set_reset(capability.get());
  unsigned first = 0;
  for (auto& vector : registers.EGRESS_CONTROL_VECTOR) {
    const unsigned bits = std::min(ports_ - std::min(ports_, first), kBitsPerRegister);
    vector.implement_only((1ULL << bits) - 1);
    first += kBitsPerRegister;
  }
}

unsigned AcsCapability::bytes() {
  const unsigned vectors = (ports_ + kBitsPerRegister - 1) / kBitsPerRegister;
  return static_cast<unsigned>(registers.EGRESS_CONTROL_VECTOR[0].info().offset) + 4 * vectors;
}

bool AcsCapability::blocks_egress_to(unsigned port) const {
  if (registers.CONTROL.EGRESS_CONTROL.get() == 0 || port >= ports_) return false;
  return (registers.EGRESS_CONTROL_VECTOR[port / kBitsPerRegister].get() >> (port % kBitsPerRegister) & 1) != 0;
}

}  // namespace npuvp::pcie
