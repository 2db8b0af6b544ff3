// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "platform/host/inproc/inproc_device.h"
#include "platform/main/session.h"

namespace npuvp::main {

/// How run_in_process() differs from a plain run.
struct InprocRunOptions {
  /// Called at the start of the simulation, before the fabric is enumerated.
  std::function<void()> prepare;
  /// Called at its end, before the trace is closed.
  std::function<void()> finish;
  /// The card starts by itself: no image is handed to it.
  bool has_firmware = false;
  /// A failure of the card is reported and does not end the simulation: somebody else does.
  bool stays = false;
};

/// Boots card `card` of the session on an in-process host, runs `program` on it in simulated time and closes the trace.
/// Returns an exit status; a failure has been reported in one line on stderr. Throws config::ConfigError if there is no
/// such card.
int run_in_process(Session& session, size_t card, const std::function<void(host::InprocDevice&)>& program,
                   const InprocRunOptions& options = {});

}  // namespace npuvp::main
