// SPDX-License-Identifier: Apache-2.0
#include "platform/main/inproc_run.h"

#include <fmt/format.h>

#include "platform/main/commands.h"
#include "sw/compiler/error.h"

namespace npuvp::main {
namespace {

int report(const std::exception& error, int status) {
  fmt::print(stderr, "npuvp: {}\n", error.what());
  return status;
}

}  // namespace

int run_in_process(Session& session, size_t card, const std::function<void(host::InprocDevice&)>& program,
                   const InprocRunOptions& options) {
  (void)session.card(card);
  const size_t cards = session.server().card_count();
  const auto work = [&](host::InprocHost& self) {
    if (options.prepare) options.prepare();
    const auto functions = self.enumerate();
    // Both go through the tree depth first.
    if (functions.size() != cards) {
      throw runtime::DeviceError(fmt::format("{} of {} cards were found on the fabric", functions.size(), cards));
    }
    const std::string& firmware = options.has_firmware ? std::string() : session.firmware();
    host::InprocDevice device(self, functions[card],
                              {reinterpret_cast<const uint8_t*>(firmware.data()), firmware.size()});
    program(device);
  };
  host::InprocHost host("host", [&](host::InprocHost& self) {
    if (!options.stays) return work(self);
    try {
      work(self);
    } catch (const runtime::DeviceError& error) {
      report(error, kExitFailed);
    }
    sc_core::sc_event never;
    sc_core::wait(never);
  });
  host.connect(session.server().root_complex());
  sc_core::sc_start();
  if (options.finish) options.finish();
  session.finish_trace();
  try {
    host.rethrow_failure();
  } catch (const compiler::InputError& error) {
    return report(error, kExitUsage);
  } catch (const host::FirmwareRefused& error) {
    return report(error, kExitUsage);
  } catch (const runtime::DeviceError& error) {
    return report(error, kExitFailed);
  }
  return kExitDone;
}

}  // namespace npuvp::main
