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

int run_in_process(Session& session, const std::function<void(host::InprocDevice&)>& program) {
  host::InprocHost host("host", [&](host::InprocHost& self) {
    const auto functions = self.enumerate();
    if (functions.empty()) throw runtime::DeviceError("no card was found on the fabric");
    const auto& firmware = session.firmware();
    host::InprocDevice device(self, functions.front(),
                              {reinterpret_cast<const uint8_t*>(firmware.data()), firmware.size()});
    program(device);
  });
  host.connect(session.server().root_complex());
  sc_core::sc_start();
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
