// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdio>
#include <optional>

#include "platform/host/inproc/inproc_device.h"
#include "platform/main/commands.h"
#include "platform/main/session.h"

namespace npuvp::main {

int boot_command(const BootOptions& options) {
  Session session(options.platform);
  auto& card = session.server().card(0);
  card.uart().on_transmit([](char byte) { std::fputc(byte, stdout); });

  std::optional<runtime::DeviceInfo> info;
  sc_core::sc_time ready;
  host::InprocHost host("host", [&](host::InprocHost& self) {
    const auto functions = self.enumerate();
    if (functions.empty()) throw runtime::DeviceError("no card was found on the fabric");
    const auto& firmware = session.firmware();
    const host::InprocDevice device(self, functions.front(),
                                    {reinterpret_cast<const uint8_t*>(firmware.data()), firmware.size()});
    info = device.info();
    ready = sc_core::sc_time_stamp();
  });
  host.connect(session.server().root_complex());
  sc_core::sc_start();
  std::fflush(stdout);
  session.finish_trace();
  try {
    host.rethrow_failure();
  } catch (const host::FirmwareRefused& error) {
    fmt::print(stderr, "npuvp: {}\n", error.what());
    return kExitUsage;
  } catch (const runtime::DeviceError& error) {
    fmt::print(stderr, "npuvp: {}\n", error.what());
    return kExitFailed;
  }

  const uint64_t instructions = card.harts().hart(0).instructions_retired();
  fmt::print(stderr, "card ready after {:.3f} ms of simulated time, {} instructions; firmware {}.{}.{}\n",
             ready.to_seconds() * 1e3, instructions, info->firmware_version >> 16, (info->firmware_version >> 8) & 0xff,
             info->firmware_version & 0xff);
  if (!options.platform.json.empty()) {
    nlohmann::ordered_json json;
    json["simulated_seconds"] = ready.to_seconds();
    json["instructions"] = instructions;
    session.add_figures(json);
    write_json(options.platform.json, json);
  }
  return kExitDone;
}

}  // namespace npuvp::main
