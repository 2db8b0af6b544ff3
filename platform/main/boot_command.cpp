// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdio>

#include "platform/main/commands.h"
#include "platform/main/inproc_run.h"
#include "platform/main/resources.h"
#include "platform/main/session.h"

namespace npuvp::main {

int boot_command(const BootOptions& options) {
  Session session(options.platform);
  auto& card = session.card(options.card);
  card.uart().on_transmit([](char byte) { std::fputc(byte, stdout); });

  std::string update;
  if (!options.update.empty()) update = read_file(options.update, "firmware image");
  uint32_t version = 0;
  sc_core::sc_time ready;
  const int status = run_in_process(session, options.card, [&](host::InprocDevice& device) {
    version = device.info().firmware_version;
    ready = sc_core::sc_time_stamp();
    if (!update.empty()) device.update_firmware({reinterpret_cast<const uint8_t*>(update.data()), update.size()});
  });
  std::fflush(stdout);
  if (status != kExitDone) return status;

  const uint64_t instructions = card.harts().hart(0).instructions_retired();
  fmt::print(stderr, "card ready after {:.3f} ms of simulated time, {} instructions; firmware {}.{}.{}\n",
             ready.to_seconds() * 1e3, instructions, version >> 16, (version >> 8) & 0xff, version & 0xff);
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
