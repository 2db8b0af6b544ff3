// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include "platform/host/inproc/inproc_device.h"
#include "platform/main/commands.h"
#include "platform/main/session.h"
#include "sw/apps/classify/classify.h"
#include "sw/compiler/error.h"

namespace npuvp::main {
namespace {

apps::ClassifyOptions classify_options(const RunOptions& options) {
  apps::ClassifyOptions classify;
  classify.model = options.model;
  classify.input = options.input;
  classify.labels = options.labels;
  classify.reference = options.reference;
  classify.output = options.output;
  classify.precision = options.precision == "fp16" ? compiler::Precision::kFp16 : compiler::Precision::kInt8;
  classify.batch = options.batch;
  return classify;
}

}  // namespace

int run_command(const RunOptions& options) {
  Session session(options.platform);
  if (!options.platform.rtl.empty() && options.precision == "fp16") {
    fmt::print(stderr, "npuvp: the RTL tensor core computes INT8 only; use --precision int8 or leave out --rtl\n");
    return kExitUsage;
  }
  apps::ClassifyReport report;
  host::InprocHost host("host", [&](host::InprocHost& self) {
    const auto functions = self.enumerate();
    if (functions.empty()) throw runtime::DeviceError("no card was found on the fabric");
    const auto& firmware = session.firmware();
    host::InprocDevice device(self, functions.front(),
                              {reinterpret_cast<const uint8_t*>(firmware.data()), firmware.size()});
    report = apps::run_classify(device, classify_options(options),
                                [](const std::string& line) { fmt::print(stderr, "{}\n", line); });
  });
  host.connect(session.server().root_complex());
  sc_core::sc_start();
  session.finish_trace();
  try {
    host.rethrow_failure();
  } catch (const compiler::InputError& error) {
    fmt::print(stderr, "npuvp: {}\n", error.what());
    return kExitUsage;
  } catch (const host::FirmwareRefused& error) {
    fmt::print(stderr, "npuvp: {}\n", error.what());
    return kExitUsage;
  } catch (const runtime::DeviceError& error) {
    fmt::print(stderr, "npuvp: {}\n", error.what());
    return kExitFailed;
  }

  fmt::print("{}{}", apps::to_text(report), session.time_table());
  if (!options.platform.json.empty()) {
    auto json = nlohmann::ordered_json::parse(apps::to_json(report));
    session.add_figures(json);
    write_json(options.platform.json, json);
  }
  return report.passed() ? kExitDone : kExitFailed;
}

}  // namespace npuvp::main
