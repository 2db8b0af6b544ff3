// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/base/register_bank.h"

namespace npuvp::pcie {

/// A structure of configuration space that is found through the capability list or the extended capability list.
class Capability {
 public:
  virtual ~Capability() = default;

  [[nodiscard]] virtual base::RegisterBank& bank() = 0;

  /// To the state after a conventional or function-level reset.
  virtual void reset() { bank().reset(); }
};

}  // namespace npuvp::pcie
