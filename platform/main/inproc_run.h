// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "platform/host/inproc/inproc_device.h"
#include "platform/main/session.h"

namespace npuvp::main {

/// Boots card `card` of the session on an in-process host, runs `program` on it in simulated time and closes the trace.
/// Returns an exit status; a failure has been reported in one line on stderr. Throws config::ConfigError if there is no
/// such card.
int run_in_process(Session& session, size_t card, const std::function<void(host::InprocDevice&)>& program);

}  // namespace npuvp::main
