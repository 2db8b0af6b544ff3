// SPDX-License-Identifier: Apache-2.0
#include "models/base/sideband.h"

#include <fmt/format.h>

namespace npuvp::base {

std::string Origin::to_string() const {
  switch (kind) {
    case Kind::kHart:
      return fmt::format("hart {} at pc {:#x}", id, pc);
    case Kind::kHost:
      return fmt::format("host as {:02x}:{:02x}.{}", id >> 8, (id >> 3) & 0x1f, id & 7);
    case Kind::kEngine:
      return fmt::format("engine {}", id);
    case Kind::kUnknown:
      break;
  }
  return "unknown initiator";
}

const Sideband& sideband_of(const tlm::tlm_generic_payload& payload) {
  static const Sideband kNone;
  const auto* sideband = payload.get_extension<Sideband>();
  return sideband != nullptr ? *sideband : kNone;
}

}  // namespace npuvp::base
