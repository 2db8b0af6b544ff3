// SPDX-License-Identifier: Apache-2.0
#include "platform/main/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <functional>
#include <map>
#include <string>

#include "platform/main/commands.h"

namespace npuvp::main {
namespace {

/// The commands with their options, and which of them was chosen.
class CommandLine {
 public:
  CommandLine();
  int run(int argc, char** argv);

 private:
  CLI::App* add(const std::string& name, const std::string& summary, const std::string& details,
                std::function<int()> action);
  /// With `view` the command's --trace also takes what is to be seen of the firmware.
  static void add_platform_options(CLI::App& command, PlatformOptions& options, FirmwareViewOptions* view = nullptr);
  static void add_view_options(CLI::App& command, PlatformOptions& platform, FirmwareViewOptions& view);
  void add_demo();
  void add_qemu();
  void add_run();
  void add_boot();
  void add_serve();
  void add_attach_options(CLI::App& command, AttachOptions& options);
  static void add_debug_options(CLI::App& command, DebugOptions& options);
  void add_guest_options(CLI::App& command, GuestOptions& options);
  void add_monitor();
  void add_hart();
  void add_test();
  void add_bench();
  void add_fuzz();
  void add_help();
  int help();
  void print_help(const CLI::App& topic);

  CLI::App app_{"A virtual NPU server: cards behind PCIe, real firmware, real driver, stock Linux guest.", "npuvp"};
  std::map<const CLI::App*, std::function<int()>> actions_;
  GuestOptions demo_;
  GuestOptions qemu_;
  ServeOptions serve_;
  RunOptions run_;
  BootOptions boot_;
  MonitorOptions monitor_;
  HartOptions hart_;
  BenchOptions bench_;
  FuzzOptions fuzz_;
  std::vector<std::string> ctest_arguments_;
  std::string help_topic_;
};

std::pair<std::string, spdlog::level::level_enum> parse_log_level(const std::string& text) {
  const size_t equals = text.find('=');
  const std::string name = equals == std::string::npos ? "" : text.substr(equals + 1);
  const auto level = spdlog::level::from_str(name);
  if (equals == 0 || equals == std::string::npos || (level == spdlog::level::off && name != "off")) {
    throw CLI::ValidationError(
        "--log",
        fmt::format("'{}' is not BLOCK=LEVEL with LEVEL trace, debug, info, warn, err, critical or off", text));
  }
  return {text.substr(0, equals), level};
}

/// A word behind --trace: a kind of firmware trace, with a file or without, or a Perfetto file.
void add_trace(const std::string& word, PlatformOptions& platform, FirmwareViewOptions& view) {
  const size_t equals = word.find('=');
  const std::string kind = word.substr(0, equals);
  const std::string file = equals == std::string::npos ? "" : word.substr(equals + 1);
  const bool is_kind = kind == "fw" || kind == "regs" || kind == "insn";
  if (!is_kind) {
    platform.trace = word;
  } else if ((kind == "regs" && equals != std::string::npos) || (equals != std::string::npos && file.empty())) {
    throw CLI::ValidationError(
        "--trace", fmt::format("'{}': {}", word, file.empty() ? "no file behind the '='" : "regs goes to stderr only"));
  } else {
    view.traces.push_back({kind, file});
  }
}

sc_core::sc_time parse_time(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::map<std::string, sc_core::sc_time_unit> units{
      {"ns", sc_core::SC_NS}, {"us", sc_core::SC_US}, {"ms", sc_core::SC_MS}, {"s", sc_core::SC_SEC}};
  const auto unit = units.find(std::string(end, text.data() + text.size()));
  constexpr double kMostSeconds = 1e6;
  if (error != std::errc{} || unit == units.end() || !(number > 0) ||
      sc_core::sc_time(1, unit->second).to_seconds() * number > kMostSeconds) {
    throw CLI::ValidationError("--time",
                               fmt::format("'{}' is not a time; give a number with ns, us, ms or s, as 5ms", text));
  }
  return {number, unit->second};
}

CommandLine::CommandLine() {
  app_.require_subcommand(0, 1);
  app_.footer(
      "'npuvp help COMMAND' explains a command. Exit status: 0 done, 1 the run failed or its result is\n"
      "wrong, 2 the command line or an input file is wrong, 70 a bug of npuvp.");
  app_.get_formatter()->column_width(34);
  add_demo();
  add_run();
  add_boot();
  add_qemu();
  add_serve();
  add_monitor();
  add_hart();
  add_test();
  add_bench();
  add_fuzz();
  add_help();
}

CLI::App* CommandLine::add(const std::string& name, const std::string& summary, const std::string& details,
                           std::function<int()> action) {
  auto* command = app_.add_subcommand(name, summary);
  if (!details.empty()) command->footer(details);
  actions_[command] = std::move(action);
  return command;
}

void CommandLine::add_view_options(CLI::App& command, PlatformOptions& platform, FirmwareViewOptions& view) {
  command
      .add_option_function<std::vector<std::string>>(
          "--trace",
          [&platform, &view](const std::vector<std::string>& words) {
            for (const auto& word : words) add_trace(word, platform, view);
          },
          "Perfetto file (ui.perfetto.dev), or firmware as text; repeatable")
      ->type_name("FILE.pftrace|fw[=FILE]|regs|insn[=FILE]")
      ->allow_extra_args(false);
  command.add_option("--profile", view.profile, "Flame graph of the firmware; with a Perfetto file a track too")
      ->type_name("FILE.svg");
  command.add_option("--coverage", view.coverage, "Lines of the firmware that were executed, for lcov")
      ->type_name("FILE.info");
  command.add_option("--symbols", view.symbols, "Its names and lines, if not npuvp's own; repeatable")
      ->type_name("FILE.elf")
      ->allow_extra_args(false);
}

void CommandLine::add_platform_options(CLI::App& command, PlatformOptions& options, FirmwareViewOptions* view) {
  command.add_option("--board", options.board, "Board by name (platform/boards/servers) or file")
      ->type_name("NAME_OR_FILE")
      ->capture_default_str();
  command.add_option("--json", options.json, "Write the run's figures to a file")->type_name("FILE");
  if (view == nullptr) {
    command.add_option("--trace", options.trace, "Write a Perfetto trace in simulated time (ui.perfetto.dev)")
        ->type_name("FILE.pftrace");
  } else {
    add_view_options(command, options, *view);
  }
  command.add_option("--rtl", options.rtl, "Use the Verilated RTL of a block, e.g. ne0.tensor_core; repeatable")
      ->type_name("INSTANCE.BLOCK")
      ->allow_extra_args(false);
  command.add_option("--seed", options.seed, "Seed of everything random")->type_name("N")->capture_default_str();
  command.add_option("--firmware", options.firmware, "Firmware image instead of the one built here")->type_name("FILE");
  command.add_option("--flash", options.flash, "File that keeps the flash of card 0; made if it does not exist")
      ->type_name("FILE");
  command.add_option("--otp", options.otp, "File that keeps the fuses of card 0; made by npu-sign otp")
      ->type_name("FILE");
  command
      .add_option_function<std::vector<std::string>>(
          "--log",
          [&options](const std::vector<std::string>& levels) {
            for (const auto& text : levels) options.log_levels.push_back(parse_log_level(text));
          },
          "Log level of a block or 'all'; trace shows register accesses")
      ->type_name("BLOCK=LEVEL")
      ->allow_extra_args(false);
}

void CommandLine::add_attach_options(CLI::App& command, AttachOptions& options) {
  add_platform_options(command, options.platform);
  command.add_option("--attach", options.attach, "One PCI domain (VMD), or plain cards on the hypervisor's own bus")
      ->check(CLI::IsMember({"domain", "endpoints"}))
      ->capture_default_str();
  command.add_option("--monitor", options.monitor, "Make a socket for 'npuvp monitor'; must not exist")
      ->type_name("PATH");
  add_debug_options(command, options.debug);
}

void CommandLine::add_debug_options(CLI::App& command, DebugOptions& options) {
  command.add_option("--gdb", options.gdb, "Wait for GDB on a local port (0: any free one) or at a UNIX socket")
      ->type_name("PORT_OR_PATH");
  command.add_flag("--break-at-reset", options.break_at_reset, "The card's harts do not start before GDB says so");
  command.add_option("--card", options.card, "Which card of the board")->type_name("N")->capture_default_str();
}

void CommandLine::add_guest_options(CLI::App& command, GuestOptions& options) {
  add_attach_options(command, options);
  command.add_flag("--kvm", options.kvm, "Run the guest with KVM instead of emulation");
}

void CommandLine::add_demo() {
  auto* command =
      add("demo", "Boot a Linux guest and classify 256 images on the card",
          "QEMU boots a stock kernel, the driver probes the card and loads its firmware, and npu-classify runs\n"
          "the Fashion-MNIST network through /dev/accel/accel0.",
          [this] { return demo_command(demo_); });
  add_guest_options(*command, demo_);
  command->add_option("--precision", demo_.precision, "Arithmetic on the card")
      ->check(CLI::IsMember({"int8", "fp16"}))
      ->capture_default_str();
  command->add_option("--output", demo_.output, "Write the logits, float32 [256,10]")->type_name("FILE.npy");
}

void CommandLine::add_qemu() {
  auto* command =
      add("qemu", "A guest with the driver loaded: interactive shell, or one command",
          "Without COMMAND: a shell on the guest's console; Ctrl-a x leaves. With COMMAND: runs it in the guest\n"
          "and passes its output and exit status through. Example: npuvp qemu -- lspci -vv\n"
          "A device of QEMU's beside the card: npuvp qemu --qemu-arg=-device --qemu-arg=edu -- lspci",
          [this] { return qemu_command(qemu_); });
  add_guest_options(*command, qemu_);
  command->add_option("--file", qemu_.files, "Copy a file into the guest (default place /root); repeatable")
      ->type_name("FILE[:GUEST_PATH]")
      ->allow_extra_args(false);
  command->add_option("--qemu-arg", qemu_.qemu_arguments, "Word for QEMU's command line, repeatable")
      ->type_name("WORD")
      ->allow_extra_args(false);
  command->add_option("command", qemu_.command, "Command and arguments, after --")->type_name("COMMAND...");
}

void CommandLine::add_serve() {
  auto* command = add("serve", "Offer the cards to a hypervisor that is started by others",
                      "Listens on DIR/domain.sock, or with --attach endpoints on DIR/card0.sock and so on, prints the\n"
                      "options that QEMU needs, one a line, and serves until SIGINT or SIGTERM. When a client has\n"
                      "gone its card loses power and waits for the next one.\n"
                      "Example: npuvp serve --board server-4 --attach endpoints --sockets /tmp/npu",
                      [this] { return serve_command(serve_); });
  add_attach_options(*command, serve_);
  command->add_option("--sockets", serve_.sockets, "Folder for the sockets; made if it does not exist")
      ->type_name("DIR")
      ->required();
}

void CommandLine::add_run() {
  auto* command =
      add("run", "Run an ONNX classifier on the card without QEMU",
          "Input: uint8 [N,28,28] (divided by 255) or float32 in the model's input shape. Labels and reference\n"
          "default to labels.npy and MODEL_logits.npy beside the input, where they exist.\n"
          "Example: npuvp run data/fashion/fashion_mlp_b16.onnx --input data/fashion/images.npy",
          [this] { return run_command(run_); });
  command->add_option("model", run_.model, "ONNX file")->type_name("MODEL.onnx")->required();
  command->add_option("--input", run_.input, "Images")->type_name("FILE.npy")->required();
  command->add_option("--labels", run_.labels, "Classes, for the accuracy")->type_name("FILE.npy");
  command->add_option("--reference", run_.reference, "FP32 logits, for the agreement")->type_name("FILE.npy");
  command->add_option("--output", run_.output, "Write the logits, float32")->type_name("FILE.npy");
  command->add_option("--precision", run_.precision, "Arithmetic on the card")
      ->check(CLI::IsMember({"int8", "fp16"}))
      ->capture_default_str();
  command->add_option("--batch", run_.batch, "Most images in one job")
      ->check(CLI::Range(1U, 65535U))
      ->capture_default_str();
  command->add_option("--card", run_.card, "Which card of the board")->type_name("N")->capture_default_str();
  command
      ->add_option("--dram-trace", run_.dram_trace, "Write the DRAM's commands; needs dram.timing jedec in the board")
      ->type_name("FILE.csv");
  add_platform_options(*command, run_.platform, &run_.view);
}

void CommandLine::add_boot() {
  auto* command =
      add("boot", "Boot the card alone and show its console",
          "The boot ROM starts and is handed the firmware over the mailbox, as by a driver.\n"
          "Ends when the firmware is ready; status 1 if it does not get there. With --console the terminal\n"
          "is the card's console until Ctrl-A x (or a piped input's end). With --gdb it ends when the\n"
          "debugger detaches, and simulated time stands still while the harts are halted. --trace fw shows\n"
          "the firmware's calls, regs its register accesses, insn its instructions.\n"
          "Example: npuvp boot --gdb 1234 --break-at-reset",
          [this] { return boot_command(boot_); });
  add_debug_options(*command, boot_.debug);
  command->add_option("--fw", boot_.fw, "Load an ELF file past the ROM, all harts start at its entry")
      ->type_name("FILE.elf");
  command
      ->add_option_function<std::string>(
          "--time", [this](const std::string& text) { boot_.time = parse_time(text); },
          "Run for so much simulated time: a number with ns, us, ms or s")
      ->type_name("LIMIT");
  command->add_flag("--console", boot_.console, "Type to the firmware: standard input goes to the card's UART");
  command->add_option("--update", boot_.update, "Write an image to the card's flash for the next boot; see --flash")
      ->type_name("FILE");
  add_platform_options(*command, boot_.platform, &boot_.view);
}

void CommandLine::add_monitor() {
  auto* command = add("monitor", "Look into a running guest's fabric, and disturb it",
                      "PATH is what --monitor of demo, qemu or serve was given. Without COMMAND: lists the commands.\n"
                      "Example: npuvp monitor /tmp/m inject card0 poisoned-tlp",
                      [this] { return monitor_command(monitor_); });
  command->add_option("path", monitor_.path, "Socket")->type_name("PATH")->required();
  command->add_option("command", monitor_.command, "Command and arguments")->type_name("COMMAND...");
  command->add_flag("--json", monitor_.raw, "Print the answer as JSON");
}

void CommandLine::add_hart() {
  auto* command =
      add("hart", "Run a program on a bare hart",
          "Takes ELF files by the convention of riscv-tests (tohost, fromhost) as they are, in machine or user\n"
          "mode, with 16 MiB at 0x80000000. Status 0: the program reports success; 1: it reports a failed\n"
          "case, which is named, or does not end.",
          [this] { return hart_command(hart_); });
  command->add_option("--isa-test", hart_.isa_test, "Program")->type_name("FILE.elf")->required();
  command->add_option("--instructions", hart_.instructions, "Most instructions it may take")
      ->type_name("N")
      ->capture_default_str();
  command->add_flag("--misaligned", hart_.misaligned_access, "Misaligned loads and stores work instead of trapping");
}

void CommandLine::add_test() {
  auto* command = add("test", "Run all tests", "Arguments go to ctest. Example: npuvp test -R TaskManager",
                      [this] { return test_command(ctest_arguments_); });
  command->allow_extras();
  command->prefix_command();
}

void CommandLine::add_bench() {
  auto* command = add("bench", "Measure host speed beside a baseline", "", [this] { return bench_command(bench_); });
  command->add_option("name", bench_.name, "Which: boot, data, dram, gemm, hart, noc, pcie, roofline or run")
      ->required()
      ->check(CLI::IsMember({"boot", "data", "dram", "gemm", "hart", "noc", "pcie", "roofline", "run"}))
      ->type_name("NAME");
  command->add_option("--json", bench_.json, "Write the figures to a file")->type_name("FILE");
}

void CommandLine::add_fuzz() {
  auto* command =
      add("fuzz", "Search for inputs that break npuvp, guided by coverage",
          "Targets: vfio_user (the socket that QEMU is connected to), board, commands, engine, gdb, onnx, npy,\n"
          "image; default: all in turn. Status 1 when something was found, with the input's file. What it\n"
          "learns is kept in build/fuzz/tests/fuzz/corpus. Example: npuvp fuzz vfio_user --seconds 600",
          [this] { return fuzz_command(fuzz_); });
  command->add_option("target", fuzz_.targets, "What to attack")
      ->check(CLI::IsMember(fuzz_.targets))
      ->type_name("TARGET...");
  command->add_option("--seconds", fuzz_.seconds, "How long, each target")
      ->check(CLI::Range(1U, 1'000'000U))
      ->capture_default_str();
  command->add_option("--json", fuzz_.json, "Write the figures to a file")->type_name("FILE");
}

void CommandLine::add_help() {
  auto* command = add("help", "Explain npuvp or one command", "", [this] { return help(); });
  command->add_option("command", help_topic_, "Command")->type_name("COMMAND");
}

int CommandLine::help() {
  const CLI::App* topic = &app_;
  if (!help_topic_.empty()) {
    const auto found = app_.get_subcommands([this](const CLI::App* each) { return each->get_name() == help_topic_; });
    if (found.empty()) throw CLI::ValidationError("help", fmt::format("no command '{}'", help_topic_));
    topic = found.front();
  }
  print_help(*topic);
  return kExitDone;
}

/// Not App::help(), which explains the command that was chosen, "help" itself.
void CommandLine::print_help(const CLI::App& topic) {
  const std::string name = &topic == &app_ ? "" : " " + topic.get_name();
  fmt::print("{}", app_.get_formatter()->make_help(&topic, "npuvp" + name, CLI::AppFormatMode::Normal));
}

int CommandLine::run(int argc, char** argv) {
  try {
    app_.parse(argc, argv);
    if (app_.get_subcommands().empty()) {
      throw CLI::RequiredError("A command (demo, run, boot, qemu, serve, monitor, hart, test, bench, fuzz, help)");
    }
    const auto* command = app_.get_subcommands().front();
    if (command->get_name() == "test") ctest_arguments_ = command->remaining();
    return actions_.at(command)();
  } catch (const CLI::CallForHelp&) {
    const auto chosen = app_.get_subcommands();
    print_help(chosen.empty() ? app_ : *chosen.front());
    return kExitDone;
  } catch (const CLI::ParseError& error) {
    const auto chosen = app_.get_subcommands();
    fmt::print(stderr, "npuvp: {}; see 'npuvp help{}'\n", error.what(),
               chosen.empty() ? "" : " " + chosen.front()->get_name());
    return kExitUsage;
  }
}

}  // namespace

int run_command_line(int argc, char** argv) {
  return CommandLine().run(argc, argv);
}

}  // namespace npuvp::main
