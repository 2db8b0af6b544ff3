// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdio>
#include <optional>

#include "platform/config/config_error.h"
#include "platform/debug/gdb/card_debugger.h"
#include "platform/main/commands.h"
#include "platform/main/debug_loop.h"
#include "platform/main/firmware_load.h"
#include "platform/main/firmware_view.h"
#include "platform/main/inproc_run.h"
#include "platform/main/resources.h"
#include "platform/main/session.h"
#include "platform/main/terminal.h"

namespace npuvp::main {
namespace {

/// A card alone on an in-process host, with what the command line asked to see of it.
class BootRun {
 public:
  explicit BootRun(const BootOptions& options);
  int run();

 private:
  [[nodiscard]] bool lingers() const { return loop_.has_value(); }
  void attach_debugger();
  void attach_terminal();
  void on_ready(host::InprocDevice& device);
  int finish(int status);

  const BootOptions& options_;
  Session session_;
  assembly::Card& card_;
  FirmwareView view_;
  std::optional<FirmwareLoad> load_;
  std::string update_;  ///< Image for the flash.
  std::optional<DebugLoop> loop_;
  std::optional<debug::gdb::CardDebugger> debugger_;
  std::optional<Terminal> terminal_;
  bool is_loaded_ = false;  ///< What is to run is in the card.
  bool is_ready_ = false;
  sc_core::sc_time ready_;
  uint64_t instructions_ = 0;  ///< Of hart 0 until it was ready.
};

BootRun::BootRun(const BootOptions& options)
    : options_(options),
      session_(options.platform),
      card_(session_.card(options.debug.card)),
      view_(session_, options.debug.card, options.view, firmware_programs(options.platform, options.fw, options.view)) {
  card_.uart().on_transmit([this](char byte) {
    std::fputc(byte, stdout);
    if (byte == '\n' || options_.console) std::fflush(stdout);
  });
  if (options.debug.break_at_reset && options.debug.gdb.empty()) {
    throw config::ConfigError("--break-at-reset waits for a debugger; give --gdb too");
  }
  if (!options.update.empty()) update_ = read_file(options.update, "firmware image");
  is_loaded_ = options.fw.empty();
  if (!is_loaded_) {
    load_.emplace(options.fw);
    FirmwareLoad::hold(card_.harts());
  }
  if (!options.debug.gdb.empty() || options.time || options.console) loop_.emplace("debug_loop");
  if (options.time) loop_->end_at(*options.time);
  if (!options.debug.gdb.empty()) attach_debugger();
}

void BootRun::attach_debugger() {
  debugger_.emplace(session_.environment(), card_,
                    debug::gdb::Options{options_.debug.gdb, options_.debug.break_at_reset}, loop_->descriptors());
  // Not before a program has been loaded: that is part of the simulation.
  loop_->hold_while([this] { return is_loaded_ && debugger_->holds_card(); });
  debugger_->on_stop([this] { loop_->wake(); });
  debugger_->on_detach([this] { loop_->end(); });
  announce_debugger(*debugger_);
}

void BootRun::attach_terminal() {
  terminal_.emplace(card_.uart(), loop_->descriptors(), [this](bool at_end_of_input) {
    // What was piped in is to be answered first.
    if (at_end_of_input) {
      loop_->end_when_idle();
    } else {
      loop_->end();
    }
  });
  loop_->wake();
}

void BootRun::on_ready(host::InprocDevice& device) {
  is_ready_ = true;
  ready_ = sc_core::sc_time_stamp();
  instructions_ = card_.harts().hart(0).instructions_retired();
  const uint32_t version = device.info().firmware_version;
  std::fflush(stdout);
  fmt::print(stderr, "card ready after {:.3f} ms of simulated time, {} instructions; firmware {}.{}.{}\n",
             ready_.to_seconds() * 1e3, instructions_, version >> 16, (version >> 8) & 0xff, version & 0xff);
  if (!update_.empty()) device.update_firmware({reinterpret_cast<const uint8_t*>(update_.data()), update_.size()});
  // Not before: the ROM and the firmware empty the UART when they start.
  if (options_.console && !load_) attach_terminal();
  if (!lingers()) return;
  sc_core::sc_event never;
  sc_core::wait(never);
}

int BootRun::run() {
  InprocRunOptions how;
  how.has_firmware = load_.has_value();
  how.stays = lingers();
  how.finish = [this] { view_.finish(); };
  if (load_) {
    how.prepare = [this] {
      load_->start(card_.harts(), options_.debug.break_at_reset);
      is_loaded_ = true;
      if (options_.console) attach_terminal();
      if (loop_) loop_->wake();
    };
  }
  const int status = run_in_process(
      session_, options_.debug.card, [this](host::InprocDevice& device) { on_ready(device); }, how);
  std::fflush(stdout);
  return finish(status);
}

int BootRun::finish(int status) {
  if (loop_ && loop_->interrupted()) {
    fmt::print(stderr, "npuvp: interrupted\n");
    return kExitFailed;
  }
  if (status != kExitDone) return status;
  if (!options_.platform.json.empty()) {
    nlohmann::ordered_json json;
    json["ready"] = is_ready_;
    json["simulated_seconds"] = ready_.to_seconds();
    json["instructions"] = instructions_;
    json["clock_period_seconds"] = card_.harts().clock_period().to_seconds();
    session_.add_figures(json);
    write_json(options_.platform.json, json);
  }
  // A program of the developer's own need not be a firmware that gets ready.
  const bool must_be_ready = !load_ && loop_ && loop_->time_is_over() && !debugger_;
  if (!must_be_ready || is_ready_) return kExitDone;
  fmt::print(stderr, "npuvp: the firmware was not ready when --time was over; look at its console\n");
  return kExitFailed;
}

}  // namespace

int boot_command(const BootOptions& options) {
  return BootRun(options).run();
}

}  // namespace npuvp::main
