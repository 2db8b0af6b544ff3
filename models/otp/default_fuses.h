// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/otp/fuses.h"

namespace npuvp::otp {

/// Fuses of a card of ours that nobody has provisioned otherwise: it knows the test keys of sw/tools/npu-sign/test-keys
/// in the slots of their numbers.
[[nodiscard]] Words default_fuses(npu_lifecycle lifecycle, bool debug_disable);

}  // namespace npuvp::otp
