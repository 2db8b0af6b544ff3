// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>

#include "platform/config/config_error.h"
#include "platform/debug/dram_trace.h"
#include "platform/main/commands.h"
#include "platform/main/firmware_view.h"
#include "platform/main/inproc_run.h"
#include "platform/main/session.h"
#include "sw/apps/classify/classify.h"

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

std::unique_ptr<debug::DramTrace> watch_dram(Session& session, const RunOptions& options) {
  if (options.dram_trace.empty()) return nullptr;
  auto* const timing = session.card(options.card).dram().jedec();
  if (timing == nullptr) {
    throw config::ConfigError(
        "--dram-trace: the board's dram.timing is fast, which knows no commands; use a board with timing: jedec");
  }
  auto trace = std::make_unique<debug::DramTrace>(options.dram_trace);
  trace->watch(options.card, *timing);
  return trace;
}

/// With `data: none` there are times and no results.
void check_results(const RunOptions& options, bool computes) {
  if (computes || (options.reference.empty() && options.labels.empty() && options.output.empty())) return;
  const char* const option = !options.reference.empty() ? "--reference"
                             : !options.labels.empty()  ? "--labels"
                                                        : "--output";
  throw config::ConfigError(fmt::format(
      "{}: the card's board file says data: none, which computes no results; say data: exact there", option));
}

/// The same for a report of times alone.
void print_times(const apps::ClassifyReport& report) {
  fmt::print(
      "{} images in {} jobs, {} Neural Engines\n"
      "results         not computed: the card's board file says data: none\n"
      "card time       {:.3f} us (weights {:.3f} us)\n",
      report.images, report.jobs, report.neural_engines, report.simulated_seconds * 1e6, report.load_seconds * 1e6);
}

/// Without what compares results.
nlohmann::ordered_json report_json(const apps::ClassifyReport& report, bool computes) {
  auto json = nlohmann::ordered_json::parse(apps::to_json(report));
  if (computes) return json;
  for (const char* const key : {"accuracy", "labels", "top1_agreement", "reference", "wrong_outputs"}) {
    json[key] = nullptr;
  }
  json["data"] = "none";
  return json;
}

}  // namespace

int run_command(const RunOptions& options) {
  check_precision(options.platform, options.precision);
  Session session(options.platform);
  const bool computes = session.card(options.card).computes();
  check_results(options, computes);
  FirmwareView view(session, options.card, options.view, firmware_programs(options.platform, "", options.view));
  InprocRunOptions how;
  how.finish = [&] { view.finish(); };
  auto dram_trace = watch_dram(session, options);
  apps::ClassifyReport report;
  const auto program = [&](host::InprocDevice& device) {
    report = apps::run_classify(device, classify_options(options),
                                [](const std::string& line) { fmt::print(stderr, "{}\n", line); });
  };
  const int status = run_in_process(session, options.card, program, how);
  if (dram_trace) dram_trace->finish();
  if (status != kExitDone) return status;

  if (computes) {
    fmt::print("{}", apps::to_text(report));
  } else {
    print_times(report);
  }
  fmt::print("{}", session.time_table());
  if (!options.platform.json.empty()) {
    auto json = report_json(report, computes);
    session.add_figures(json);
    write_json(options.platform.json, json);
  }
  return !computes || report.passed() ? kExitDone : kExitFailed;
}

}  // namespace npuvp::main
