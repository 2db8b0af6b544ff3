// SPDX-License-Identifier: Apache-2.0
#include "sw/apps/classify/classify.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>

#include "sw/apps/classify/inputs.h"
#include "sw/compiler/error.h"
#include "sw/compiler/npy.h"
#include "sw/compiler/onnx_reader.h"
#include "sw/compiler/program.h"
#include "sw/compiler/quantizer.h"
#include "sw/runtime/classifier.h"

namespace npuvp::apps {
namespace {

using compiler::CardNetwork;
using compiler::Matrix;
using compiler::Precision;

constexpr size_t kCalibrationImages = 64;  // the first ones
constexpr double kNanosecond = 1e-9;

Matrix first_rows(const Matrix& matrix, size_t rows) {
  rows = std::min(rows, matrix.rows);
  return {rows, matrix.columns,
          std::vector<float>(matrix.data.begin(), matrix.data.begin() + static_cast<ptrdiff_t>(rows * matrix.columns))};
}

CardNetwork build_network(const compiler::Graph& graph, const Matrix& images, Precision precision) {
  const compiler::Network network = compiler::lower(graph);
  return precision == Precision::kInt8 ? compiler::quantize_int8(graph, network, first_rows(images, kCalibrationImages))
                                       : compiler::convert_fp16(network);
}

/// Share of images whose top-1 equals `expected`.
template <typename T>
double share_equal(const std::vector<size_t>& predictions, const std::vector<T>& expected) {
  size_t equal = 0;
  for (size_t i = 0; i < predictions.size(); ++i) {
    equal += static_cast<T>(predictions[i]) == expected[i] ? 1u : 0u;
  }
  return static_cast<double>(equal) / static_cast<double>(predictions.size());
}

/// Bit for bit, except that any NaN equals any other.
size_t count_different(const Matrix& got, const Matrix& expected) {
  size_t different = 0;
  for (size_t i = 0; i < expected.data.size(); ++i) {
    const bool same = std::bit_cast<uint32_t>(got.data[i]) == std::bit_cast<uint32_t>(expected.data[i]) ||
                      (std::isnan(got.data[i]) && std::isnan(expected.data[i]));
    different += same ? 0u : 1u;
  }
  return different;
}

void add_times(ClassifyReport& report, std::span<const runtime::JobTime> times) {
  uint64_t first = times.front().start_ns;
  uint64_t last = times.front().end_ns;
  uint64_t sum = 0;
  uint64_t longest = 0;
  for (const runtime::JobTime& time : times) {
    const uint64_t duration = time.end_ns - time.start_ns;
    first = std::min(first, time.start_ns);
    last = std::max(last, time.end_ns);
    sum += duration;
    longest = std::max(longest, duration);
  }
  report.jobs = times.size();
  report.simulated_seconds = static_cast<double>(last - first) * kNanosecond;
  report.mean_job_seconds = static_cast<double>(sum) * kNanosecond / static_cast<double>(times.size());
  report.longest_job_seconds = static_cast<double>(longest) * kNanosecond;
  if (last > first) {
    report.images_per_simulated_second = static_cast<double>(report.images) / report.simulated_seconds;
  }
}

}  // namespace

ClassifyReport run_classify(runtime::Device& device, const ClassifyOptions& options, const Progress& progress) {
  const auto tell = [&](const std::string& line) {
    if (progress) {
      progress(line);
    }
  };
  if (options.batch == 0) {
    throw compiler::InputError("the batch must have at least 1 row");
  }
  const compiler::Graph graph = compiler::read_onnx(options.model);
  const ClassifyInputs inputs = read_inputs(options, graph);
  const CardNetwork network = build_network(graph, inputs.images, options.precision);
  const compiler::Target target{.neural_engines = device.info().neural_engines};
  const auto batch = static_cast<uint32_t>(std::min<size_t>(options.batch, inputs.images.rows));
  const compiler::Program program(network, target, batch);
  tell("compile: " + std::to_string(network.layers.size()) + " layers in " + to_string(options.precision) + " for " +
       std::to_string(target.neural_engines) + " Neural Engines");

  runtime::Classifier classifier(
      device, program,
      {.jobs_in_flight = options.jobs_in_flight, .wait_timeout = std::chrono::seconds(options.wait_timeout_s)});
  const runtime::JobTime load = classifier.load();
  tell("load: " + std::to_string(program.constants().size()) + " bytes of weights");

  ClassifyReport report;
  report.model = options.model;
  report.precision = options.precision;
  report.images = inputs.images.rows;
  report.batch = batch;
  report.neural_engines = target.neural_engines;
  report.firmware_version = device.info().firmware_version;
  report.load_seconds = static_cast<double>(load.end_ns - load.start_ns) * kNanosecond;

  const std::vector<std::byte> encoded = network.encode(inputs.images);
  const Matrix logits{inputs.images.rows, program.output_columns(),
                      classifier.run(encoded, [&](size_t done, size_t total) {
                        tell("run: " + std::to_string(done) + "/" + std::to_string(total));
                      })};
  add_times(report, classifier.job_times());

  report.predictions = compiler::top1(logits);
  if (inputs.labels) {
    report.accuracy = share_equal(report.predictions, *inputs.labels);
    report.labels_used = inputs.labels_file;
  }
  report.reference_used = inputs.reference ? inputs.reference_file : "built-in FP32 evaluator";
  const Matrix reference =
      inputs.reference ? *inputs.reference : compiler::evaluate(graph, inputs.images)[graph.output];
  report.top1_agreement = share_equal(report.predictions, compiler::top1(reference));
  if (options.verify) {
    report.wrong_outputs = count_different(logits, compiler::run_card_arithmetic(network, encoded, logits.rows));
  }
  if (!options.output.empty()) {
    compiler::write_npy(options.output, std::vector<size_t>{logits.rows, logits.columns}, std::span(logits.data));
  }
  return report;
}

}  // namespace npuvp::apps
