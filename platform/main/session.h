// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "models/base/environment.h"
#include "platform/assembly/server.h"
#include "platform/debug/perfetto_sink.h"
#include "platform/main/options.h"

namespace npuvp::main {

/// One platform with its logging and trace, as the command line asked for it. Build it before sc_start().
class Session {
 public:
  /// Errors: config::ConfigError.
  explicit Session(const PlatformOptions& options, assembly::Fabric::Layout layout = assembly::Fabric::Layout::kTree);

  [[nodiscard]] base::Environment& environment() { return environment_; }
  [[nodiscard]] assembly::Server& server() { return *server_; }
  /// The card of option --card. Errors: config::ConfigError.
  [[nodiscard]] assembly::Card& card(size_t index);
  /// The firmware image that a driver would load.
  [[nodiscard]] const std::string& firmware() const { return firmware_; }

  /// Closes the trace and says on stderr where it is.
  void finish_trace();

  /// "time_by_kind" and other figures that the platform knows of a run, of all cards together, for the report `json`.
  void add_figures(nlohmann::ordered_json& json);

  /// Where time went, a line a command kind, for people.
  [[nodiscard]] std::string time_table() const;

 private:
  /// Of all cards together.
  [[nodiscard]] task_manager::KindTime time_of(npu_command_kind kind) const;

  PlatformOptions options_;
  std::string firmware_;
  base::Environment environment_;
  std::unique_ptr<debug::PerfettoSink> trace_;
  std::unique_ptr<assembly::Server> server_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Throws config::ConfigError if a block chosen as RTL cannot compute in `precision` ("int8" or "fp16").
void check_precision(const PlatformOptions& options, const std::string& precision);

/// Writes a report. Throws config::ConfigError when the file cannot be written.
void write_json(const std::string& file, const nlohmann::ordered_json& json);

}  // namespace npuvp::main
