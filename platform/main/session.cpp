// SPDX-License-Identifier: Apache-2.0
#include "platform/main/session.h"

#include <fmt/format.h>

#include <array>

#include "platform/config/board_loader.h"
#include "platform/config/config_error.h"
#include "platform/debug/noc_report.h"
#include "platform/main/resources.h"

namespace npuvp::main {
namespace {

struct KindName {
  npu_command_kind kind;
  const char* key;
  const char* title;
};

constexpr std::array kKinds{
    KindName{NPU_COMMAND_NEURAL_ENGINE, "neural_engine", "Neural Engine"},
    KindName{NPU_COMMAND_NEURAL_DMA, "neural_dma", "Neural DMA"},
    KindName{NPU_COMMAND_TASK_DMA, "task_dma", "Task DMA"},
    KindName{NPU_COMMAND_EXTERNAL_HDMA, "external_hdma", "External HDMA"},
    KindName{NPU_COMMAND_DEVICE_HDMA, "device_hdma", "Device HDMA"},
    KindName{NPU_COMMAND_DEVICE_SYNC, "device_sync", "Device Sync"},
};

}  // namespace

Session::Session(const PlatformOptions& options, assembly::Fabric::Layout layout)
    : options_(options),
      firmware_(read_file(options.firmware.empty() ? resources().firmware() : options.firmware, "firmware image")),
      environment_(options.seed) {
  auto config = config::load_server(options.board, resources().boards());
  auto& security = config.cards.front().security;
  if (!options.flash.empty()) security.flash_file = options.flash;
  if (!options.otp.empty()) security.otp_file = options.otp;
  for (const auto& [block, level] : options.log_levels) environment_.set_log_level(block, level);
  if (!options.trace.empty()) {
    trace_ = std::make_unique<debug::PerfettoSink>(options.trace);
    environment_.trace().add_sink(*trace_);
  }
  const std::string rom = read_file(resources().rom(), "boot ROM");
  server_ = std::make_unique<assembly::Server>("server", environment_, config,
                                               assembly::Options{.rom = rom, .rtl = options.rtl, .layout = layout});
}

assembly::Card& Session::card(size_t index) {
  const size_t cards = server_->card_count();
  if (index < cards) return server_->card(index);
  throw config::ConfigError(fmt::format("--card {}: the board has cards 0 to {}; give one of them", index, cards - 1));
}

task_manager::KindTime Session::time_of(npu_command_kind kind) const {
  task_manager::KindTime sum;
  for (size_t index = 0; index < server_->card_count(); ++index) {
    const auto& time = server_->card(index).task_manager().time_by_kind().at(kind);
    sum.busy += time.busy;
    sum.commands += time.commands;
    sum.bytes += time.bytes;
  }
  return sum;
}

void Session::finish_trace() {
  if (!trace_) return;
  trace_->flush();
  fmt::print(stderr, "trace: {} (open it at ui.perfetto.dev)\n", options_.trace);
}

void Session::add_figures(nlohmann::ordered_json& json) {
  for (const auto& [kind, key, title] : kKinds) {
    const auto time = time_of(kind);
    json["time_by_kind"][key] = time.busy.to_seconds();
    json["commands_by_kind"][key] = time.commands;
    json["bytes_by_kind"][key] = time.bytes;
  }
  for (size_t index = 0; index < server_->card_count(); ++index) {
    json["noc"][fmt::format("card{}", index)] = debug::describe_flows(server_->card(index).noc());
  }
  json["platform_seconds"] = sc_core::sc_time_stamp().to_seconds();
  json["misuse_reports"] = environment_.diagnostics().misuse_count();
  json["host_seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

std::string Session::time_table() const {
  double total = 0;
  for (const auto& [kind, key, title] : kKinds) total += time_of(kind).busy.to_seconds();
  std::string lines = "card time by command kind, summed over engines that work side by side\n";
  for (const auto& [kind, key, title] : kKinds) {
    const auto time = time_of(kind);
    if (time.commands == 0) continue;
    const double share = total > 0 ? time.busy.to_seconds() / total : 0;
    lines += fmt::format("  {:<14} {:>10.3f} us {:>5.1f} %  {:>6} commands {:>10} bytes\n", title,
                         time.busy.to_seconds() * 1e6, share * 100, time.commands, time.bytes);
  }
  return lines;
}

void check_precision(const PlatformOptions& options, const std::string& precision) {
  if (options.rtl.empty() || precision == "int8") return;
  throw config::ConfigError("the RTL tensor core computes INT8 only; use --precision int8 or leave out --rtl");
}

void write_json(const std::string& file, const nlohmann::ordered_json& json) {
  write_file(file, json.dump(2) + "\n");
}

}  // namespace npuvp::main
