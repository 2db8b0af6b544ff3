// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "sw/apps/classify/classify.h"

namespace npuvp::apps {
namespace {

std::string version_text(uint32_t version) {
  return std::to_string(version >> 16) + "." + std::to_string((version >> 8) & 0xff) + "." +
         std::to_string(version & 0xff);
}

/// `format` takes one double.
std::string text(const char* format, double value) {
  std::array<char, 64> buffer;
  std::snprintf(buffer.data(), buffer.size(), format, value);
  return buffer.data();
}

/// "97.66 % (250 of 256)"
std::string share_text(double share, size_t images) {
  const double count = share * static_cast<double>(images);
  return text("%.2f %% (", share * 100) + text("%.0f of ", count) + std::to_string(images) + ")";
}

}  // namespace

std::string to_json(const ClassifyReport& report) {
  const auto or_null = [](const auto& value) {
    return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
  };
  nlohmann::ordered_json json;
  json["model"] = report.model;
  json["precision"] = to_string(report.precision);
  json["images"] = report.images;
  json["batch"] = report.batch;
  json["jobs"] = report.jobs;
  json["neural_engines"] = report.neural_engines;
  json["firmware_version"] = version_text(report.firmware_version);
  json["accuracy"] = or_null(report.accuracy);
  json["labels"] = report.labels_used.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(report.labels_used);
  json["top1_agreement"] = report.top1_agreement;
  json["reference"] = report.reference_used;
  json["wrong_outputs"] = or_null(report.wrong_outputs);
  json["load_seconds"] = report.load_seconds;
  json["simulated_seconds"] = report.simulated_seconds;
  json["images_per_simulated_second"] = report.images_per_simulated_second;
  json["mean_job_seconds"] = report.mean_job_seconds;
  json["longest_job_seconds"] = report.longest_job_seconds;
  // File names need not be UTF-8.
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string to_text(const ClassifyReport& report) {
  std::string lines = std::to_string(report.images) + " images in " + std::to_string(report.jobs) + " jobs of up to " +
                      std::to_string(report.batch) + ", " + to_string(report.precision) + ", " +
                      std::to_string(report.neural_engines) + " Neural Engines\n";
  lines += "accuracy        " + (report.accuracy ? share_text(*report.accuracy, report.images) : "unknown, no labels") +
           "\n";
  lines +=
      "top-1 agreement " + share_text(report.top1_agreement, report.images) + " with " + report.reference_used + "\n";
  if (report.wrong_outputs) {
    lines += "outputs         " +
             (*report.wrong_outputs == 0
                  ? std::string("bit-identical with the written arithmetic")
                  : std::to_string(*report.wrong_outputs) + " WRONG: they differ from the written arithmetic") +
             "\n";
  }
  lines += "card time       " + text("%.3f us", report.simulated_seconds * 1e6) +
           text(", %.0f images/s", report.images_per_simulated_second) +
           text(" (weights %.3f us", report.load_seconds * 1e6) +
           text(", job %.3f us on average)\n", report.mean_job_seconds * 1e6);
  return lines;
}

}  // namespace npuvp::apps
