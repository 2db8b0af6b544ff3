// SPDX-License-Identifier: Apache-2.0
// npu-classify: classifies images with an ONNX model on the card behind the Linux driver.
// Exit status: 0 done, 1 the run failed or a result is wrong, 2 the command line or a file is wrong.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <span>

#include "sw/apps/classify/classify.h"
#include "sw/compiler/error.h"
#include "sw/compiler/file.h"

namespace {

using npuvp::apps::ClassifyOptions;
using npuvp::apps::ClassifyReport;
using npuvp::compiler::Precision;

constexpr int kFailed = 1;
constexpr int kWrongUse = 2;

struct CommandLine {
  ClassifyOptions classify;
  std::string device = "/dev/accel/accel0";
  std::string precision = "int8";
  std::string json;
  bool no_verify = false;
  bool progress = false;
};

void declare_options(CLI::App& app, CommandLine& line) {
  ClassifyOptions& options = line.classify;
  app.add_option("MODEL", options.model, "ONNX model")->required();
  app.add_option("--input", options.input, "Images, .npy: uint8 [N,H,W] or float32 [N,...]")->required();
  app.add_option("--labels", options.labels, "Classes, .npy (default: labels.npy beside the input)");
  app.add_option("--reference", options.reference, "FP32 logits, .npy (default: MODEL_logits.npy beside the input)");
  app.add_option("--precision", line.precision, "Number format on the card")
      ->check(CLI::IsMember({"int8", "fp16"}))
      ->capture_default_str();
  app.add_option("--batch", options.batch, "Rows a job")->check(CLI::Range(1u, 1u << 20))->capture_default_str();
  app.add_option("--jobs", options.jobs_in_flight, "Jobs in flight")->check(CLI::Range(1u, 64u))->capture_default_str();
  app.add_option("--timeout", options.wait_timeout_s, "Seconds to wait for a job")
      ->check(CLI::Range(1u, 86400u))
      ->capture_default_str();
  app.add_option("--device", line.device, "Card")->capture_default_str();
  app.add_option("--json", line.json, "Write the report to this file");
  app.add_option("--output", options.output, "Write the logits to this .npy file");
  app.add_flag("--no-verify", line.no_verify, "Do not compare the outputs with the written arithmetic");
  app.add_flag("--progress", line.progress, "One line for each stage on standard error");
}

int run(const CommandLine& line) {
  const auto device = npuvp::runtime::open_linux_device(line.device);
  npuvp::apps::Progress progress;
  if (line.progress) {
    progress = [](const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); };
  }
  const ClassifyReport report = npuvp::apps::run_classify(*device, line.classify, progress);
  std::fputs(to_text(report).c_str(), stdout);
  if (!line.json.empty()) {
    const std::string json = to_json(report) + "\n";
    npuvp::compiler::write_file(line.json, std::as_bytes(std::span(json)));
  }
  return report.passed() ? 0 : kFailed;
}

int complain(const char* what, int status) {
  std::fprintf(stderr, "npu-classify: %s\n", what);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line;
  CLI::App app("Classifies images with an ONNX model on an NPU card.", "npu-classify");
  declare_options(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kWrongUse;
  }
  line.classify.verify = !line.no_verify;
  line.classify.precision = line.precision == "int8" ? Precision::kInt8 : Precision::kFp16;
  try {
    return run(line);
  } catch (const npuvp::compiler::InputError& error) {
    return complain(error.what(), kWrongUse);
  } catch (const std::exception& error) {
    return complain(error.what(), kFailed);
  }
}
