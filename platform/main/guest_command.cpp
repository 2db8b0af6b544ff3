// SPDX-License-Identifier: Apache-2.0
// demo and qemu: a Linux guest in QEMU on our fabric.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <optional>

#include "platform/config/config_error.h"
#include "platform/host/qemu/cpio_archive.h"
#include "platform/host/qemu/guest_session.h"
#include "platform/host/qemu/qemu_process.h"
#include "platform/main/attached_platform.h"
#include "platform/main/commands.h"
#include "platform/main/progress.h"
#include "platform/main/resources.h"
#include "platform/main/session.h"

namespace npuvp::main {
namespace {

constexpr size_t kLongestCommand = 4096;  // fits the port's buffer in one piece
constexpr const char* kGuestFirmware = "lib/firmware/npu/atom-ca22.bin";

/// A platform with a guest attached to it, from start to end.
class GuestRun {
 public:
  GuestRun(const GuestOptions& options, bool interactive);

  /// Copies a file of the host into the guest's initramfs; `path` without leading '/'.
  void add_file(const std::string& file, const std::string& path, uint32_t permissions = 0644);

  /// Starts QEMU and simulates until the guest has gone. `command` is for the guest's shell; ignored when interactive.
  /// Returns the command's exit status; none when the guest went away without one.
  std::optional<int> run(const std::string& command, host::GuestSession::Callbacks callbacks);

  [[nodiscard]] Session& session() { return platform_.session(); }
  /// What QEMU and the guest's console said at the end, for a failure's message.
  [[nodiscard]] const std::string& last_words() const { return last_words_; }
  [[nodiscard]] bool interrupted() const { return platform_.interrupted(); }

 private:
  AttachedPlatform platform_;
  host::QemuOptions qemu_options_;
  host::CpioArchive files_;
  std::string last_words_;
};

GuestRun::GuestRun(const GuestOptions& options, bool interactive) : platform_(options) {
  qemu_options_.qemu = resources().qemu();
  qemu_options_.kernel = resources().kernel();
  qemu_options_.initramfs = resources().initramfs();
  qemu_options_.card_arguments = platform_.card_arguments();
  qemu_options_.interactive = interactive;
  qemu_options_.kvm = options.kvm;
  qemu_options_.extra_arguments = options.qemu_arguments;
  if (!options.platform.firmware.empty()) files_.add_file(kGuestFirmware, session().firmware());
  for (const auto& entry : options.files) {
    const size_t colon = entry.find(':');
    const std::string file = entry.substr(0, colon);
    std::string path = "root/" + std::filesystem::path(file).filename().string();
    if (colon != std::string::npos) {
      const size_t start = entry.find_first_not_of('/', colon + 1);
      if (start == std::string::npos)
        throw config::ConfigError(fmt::format("--file {}: no path behind the colon", entry));
      path = entry.substr(start);
    }
    add_file(file, path);
  }
}

void GuestRun::add_file(const std::string& file, const std::string& path, uint32_t permissions) {
  files_.add_file(path, read_file(file, "file for the guest"), permissions);
}

std::optional<int> GuestRun::run(const std::string& command, host::GuestSession::Callbacks callbacks) {
  qemu_options_.extra_initramfs = files_.finish();
  host::QemuProcess qemu(qemu_options_);
  auto& host = platform_.host();
  std::optional<host::GuestSession> guest;
  // An interactive guest has the terminal; Ctrl-C is a key of its own there.
  if (qemu_options_.interactive) {
    signal(SIGINT, SIG_IGN);
  } else {
    platform_.watch_signals();
    guest.emplace(qemu, command, std::move(callbacks));
    host.watch(qemu.status_fd(), [&] { guest->read_status(); });
    host.watch(qemu.stdout_fd(), [&] { guest->read_stdout(); });
    host.watch(qemu.stderr_fd(), [&] { guest->read_stderr(); });
    host.watch(qemu.messages_fd(), [&] { guest->read_messages(); });
    host.watch(qemu.console_fd(), [&] { guest->read_console(); });
  }
  host.watch(qemu.exit_fd(), [&] { host.stop(); });
  sc_core::sc_start();
  if (!guest) return kExitDone;
  guest->drain();
  last_words_ = guest->last_words();
  return guest->exit_status();
}

/// Says why a guest ended without having run its command.
int report_failure(const GuestRun& run) {
  if (run.interrupted()) {
    fmt::print(stderr, "npuvp: interrupted\n");
  } else {
    fmt::print(stderr, "{}npuvp: the guest ended before its command did; what it said last is above\n",
               run.last_words());
  }
  return kExitFailed;
}

/// What the guest shows of its stages, one line each.
class DemoProgress {
 public:
  explicit DemoProgress(Progress& progress) : progress_(progress) {}

  void stage(std::string_view name) {
    if (name == "kernel") progress_.stage("guest kernel is up, loading modules");
    if (name == "driver") progress_.stage("driver probes the card: boot ROM verifies and starts the firmware");
    if (name == "driver-failed") progress_.stage("driver refused the card");
    if (name == "ready") progress_.stage("card is ready: /dev/accel/accel0");
  }
  /// Standard error of npu-classify: complete lines.
  void program(std::string_view bytes) {
    text_ += bytes;
    for (size_t end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
      progress_.detail(text_.substr(0, end));
      text_.erase(0, end + 1);
    }
  }

 private:
  Progress& progress_;
  std::string text_;
};

/// Runs npu-classify in the guest; its report and then, if wanted, the logits come on standard output.
std::string classify_command(const GuestOptions& options) {
  std::string command =
      "cd /root/demo; npu-classify fashion_mlp_b16.onnx --input images.npy --labels labels.npy "
      "--reference fashion_mlp_logits.npy --progress --json /tmp/report.json --output /tmp/logits.npy --precision " +
      options.precision + " > /dev/null; status=$?; cat /tmp/report.json";
  if (!options.output.empty()) command += "; cat /tmp/logits.npy";
  return command + "; exit $status";
}

void print_summary(const nlohmann::ordered_json& json, const std::string& time_table) {
  const double images = json.at("images");
  const auto count = [&](const char* key) { return static_cast<int>(json.at(key).get<double>() * images + 0.5); };
  fmt::print("accuracy         {:6.2f} %  ({} of {} images)\n", json.at("accuracy").get<double>() * 100,
             count("accuracy"), static_cast<int>(images));
  fmt::print("top-1 agreement  {:6.2f} %  ({} of {}) with the FP32 reference\n",
             json.at("top1_agreement").get<double>() * 100, count("top1_agreement"), static_cast<int>(images));
  fmt::print("throughput       {:.0f} images/s of simulated time ({:.1f} us for all)\n",
             json.at("images_per_simulated_second").get<double>(), json.at("simulated_seconds").get<double>() * 1e6);
  fmt::print("{}", time_table);
}

}  // namespace

int qemu_command(const GuestOptions& options) {
  const bool interactive = options.command.empty();
  if (interactive && isatty(STDIN_FILENO) == 0) {
    throw config::ConfigError("an interactive guest needs a terminal; give a command: npuvp qemu -- COMMAND");
  }
  const std::string command = host::shell_line(options.command);
  if (command.find('\n') != std::string::npos || command.size() > kLongestCommand) {
    throw config::ConfigError(fmt::format(
        "COMMAND must be one line of at most {} bytes; put a longer script into a file: --file", kLongestCommand));
  }
  GuestRun run(options, interactive);
  host::GuestSession::Callbacks callbacks;
  callbacks.on_stdout = [](std::string_view bytes) {
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
    std::fflush(stdout);
  };
  callbacks.on_stderr = [](std::string_view bytes) { std::fwrite(bytes.data(), 1, bytes.size(), stderr); };
  const auto status = run.run(command, callbacks);
  run.session().finish_trace();
  if (!options.platform.json.empty()) {
    nlohmann::ordered_json json;
    run.session().add_figures(json);
    write_json(options.platform.json, json);
  }
  return status ? *status : report_failure(run);
}

int demo_command(const GuestOptions& asked) {
  GuestOptions options = asked;
  if (options.platform.trace.empty()) options.platform.trace = "npuvp-demo.pftrace";
  check_precision(options.platform, options.precision);
  GuestRun run(options, false);
  for (const char* file : {"fashion_mlp_b16.onnx", "images.npy", "labels.npy", "fashion_mlp_logits.npy"}) {
    run.add_file(resources().data() + "/fashion/" + file, std::string("root/demo/") + file);
  }

  Progress progress;
  DemoProgress stages(progress);
  std::string output;
  host::GuestSession::Callbacks callbacks;
  callbacks.on_stage = [&](std::string_view name) { stages.stage(name); };
  callbacks.on_stdout = [&](std::string_view bytes) { output += bytes; };
  callbacks.on_stderr = [&](std::string_view bytes) { stages.program(bytes); };
  progress.stage("QEMU starts a stock Linux guest");
  const auto status = run.run(classify_command(options), callbacks);
  progress.finish();
  run.session().finish_trace();
  if (!status) return report_failure(run);

  // The report is one JSON object that ends with a brace on a line of its own; the logits are behind it.
  constexpr std::string_view kEnd = "\n}\n";
  const size_t end = output.find(kEnd);
  const std::string report = end == std::string::npos ? "" : output.substr(0, end + kEnd.size());
  auto json = nlohmann::ordered_json::parse(report, nullptr, false);
  if (json.is_discarded() || !json.contains("accuracy")) {
    fmt::print(stderr, "npuvp: the program in the guest failed with status {}\n", *status);
    return kExitFailed;
  }
  run.session().add_figures(json);
  print_summary(json, run.session().time_table());
  if (!options.platform.json.empty()) write_json(options.platform.json, json);
  if (!options.output.empty()) write_file(options.output, output.substr(report.size()));
  return *status == 0 ? kExitDone : kExitFailed;
}

}  // namespace npuvp::main
