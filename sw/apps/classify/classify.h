// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sw/compiler/card_network.h"
#include "sw/runtime/device.h"

namespace npuvp::apps {

struct ClassifyOptions {
  std::string model;      ///< .onnx
  std::string input;      ///< .npy: u8 [N,H,W] (divided by 255) or f4 [N,...]; dimensions of size 1 do not matter
  std::string labels;     ///< .npy with N integers; empty: labels.npy beside the input, if it is there
  std::string reference;  ///< .npy, FP32 logits [N,classes]; empty: <model>_logits.npy beside the input, <model>
                          ///< without _b1 or _b16, if it is there, else the built-in FP32 evaluator. Files found beside
                          ///< the input count only if they fit its number of images.
  std::string output;     ///< .npy to write, FP32 logits [N,classes]; empty: none
  compiler::Precision precision = compiler::Precision::kInt8;
  uint32_t batch = 64;  ///< Rows a job.
  uint32_t jobs_in_flight = 4;
  bool verify = true;             ///< Compare every bit with the card's written arithmetic.
  uint32_t wait_timeout_s = 600;  ///< Host time for one job.
};

struct ClassifyReport {
  std::string model;
  compiler::Precision precision = compiler::Precision::kInt8;
  size_t images = 0;
  uint32_t batch = 0;  ///< Rows of a full job.
  size_t jobs = 0;     ///< Inference jobs; the weights' load is one more.
  uint32_t neural_engines = 0;
  uint32_t firmware_version = 0;        ///< As in runtime::DeviceInfo.
  std::optional<double> accuracy;       ///< Share of images whose top-1 is the label; without labels: none.
  std::string labels_used;              ///< File, or empty.
  double top1_agreement = 0;            ///< Share of images whose top-1 is the reference's.
  std::string reference_used;           ///< File, or what stood in for it.
  std::optional<size_t> wrong_outputs;  ///< Logits that differ from the written arithmetic; not verified: none.
  double load_seconds = 0;              ///< Card time of the weights' load.
  double simulated_seconds = 0;         ///< Card time from the first inference job's start to the last one's end.
  double images_per_simulated_second = 0;
  double mean_job_seconds = 0;  ///< Card time from a job's start to its end.
  double longest_job_seconds = 0;
  std::vector<size_t> predictions;  ///< Top-1 of each image.

  [[nodiscard]] bool passed() const { return wrong_outputs.value_or(0) == 0; }
};

/// Called with one line for a stage: compile, load, run i/n.
using Progress = std::function<void(const std::string& line)>;

/// Compiles the model for the card, classifies all images on it and compares. Errors: compiler::InputError when a file
/// or option is wrong, runtime::DeviceError when the card fails.
[[nodiscard]] ClassifyReport run_classify(runtime::Device& device, const ClassifyOptions& options,
                                          const Progress& progress = {});

/// One JSON object, two spaces of indentation, without predictions; seconds are card time.
[[nodiscard]] std::string to_json(const ClassifyReport& report);
/// A few lines for people, each ending with a newline.
[[nodiscard]] std::string to_text(const ClassifyReport& report);

}  // namespace npuvp::apps
