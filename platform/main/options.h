// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <spdlog/common.h>

#include <cstdint>
#include <optional>
#include <string>
#include <systemc>
#include <utility>
#include <vector>

namespace npuvp::main {

/// Options that every command which starts a platform takes.
struct PlatformOptions {
  std::string board = "server-1";
  std::string json;              ///< File for the figures; empty: none.
  std::string trace;             ///< Perfetto file; empty: none.
  std::vector<std::string> rtl;  ///< INSTANCE.BLOCK, for example ne0.tensor_core.
  uint64_t seed = 1;
  std::string firmware;  ///< Image file; empty: the one built with this program.
  std::string flash;     ///< File that keeps the flash of the first card; empty: as the board says.
  std::string otp;       ///< The same of its fuses.
  std::vector<std::pair<std::string, spdlog::level::level_enum>> log_levels;
};

/// A trace of the firmware: "fw" (calls), "regs" (register accesses) or "insn" (instructions).
struct TraceOption {
  std::string kind;
  std::string file;  ///< Empty: stderr.
};

/// What is to be seen of a card's firmware while it runs.
struct FirmwareViewOptions {
  std::vector<TraceOption> traces;
  std::string profile;               ///< File for the flame graph, or .folded for stacks as text; empty: none.
  std::string coverage;              ///< File for lcov; empty: none.
  std::vector<std::string> symbols;  ///< ELF files of programs that are not npuvp's own.
};

struct RunOptions {
  PlatformOptions platform;
  FirmwareViewOptions view;
  std::string dram_trace;  ///< CSV file for the DRAM's commands; empty: none.
  size_t card = 0;
  std::string model;
  std::string input;
  std::string labels;
  std::string reference;
  std::string precision = "int8";
  std::string output;
  uint32_t batch = 64;
};

/// A debugger's way to one card.
struct DebugOptions {
  std::string gdb;  ///< Port or path; empty: none.
  bool break_at_reset = false;
  size_t card = 0;
};

struct BootOptions {
  PlatformOptions platform;
  DebugOptions debug;
  FirmwareViewOptions view;
  std::string fw;                        ///< ELF file to run instead of the ROM; empty: none.
  std::optional<sc_core::sc_time> time;  ///< Simulated time to run for; nothing: until the firmware is ready.
  bool console = false;                  ///< Standard input goes to the UART.
  std::string update;                    ///< Image to write to flash once the card runs; empty: none.
};

/// Options of commands that offer a platform to a hypervisor.
struct AttachOptions {
  PlatformOptions platform;
  std::string attach = "domain";  ///< Or "endpoints".
  std::string monitor;            ///< Path of the monitor's socket; empty: none.
  DebugOptions debug;
};

struct GuestOptions : AttachOptions {
  bool kvm = false;
  std::string precision = "int8";           ///< demo only
  std::string output;                       ///< demo only: file for the logits
  std::vector<std::string> command;         ///< qemu only: empty for an interactive shell
  std::vector<std::string> files;           ///< qemu only: HOST_FILE or HOST_FILE:GUEST_PATH
  std::vector<std::string> qemu_arguments;  ///< qemu only: passed to QEMU behind its own
};

struct ServeOptions : AttachOptions {
  std::string sockets;  ///< Folder for them.
};

struct FuzzOptions {
  std::vector<std::string> targets{"vfio_user", "board", "commands", "engine",
                                   "gdb",       "onnx",  "npy",      "image"};  ///< tests/fuzz/CMakeLists.txt
  unsigned seconds = 60;                                                        ///< Each.
  std::string json;
};

struct MonitorOptions {
  std::string path;
  std::vector<std::string> command;
  bool raw = false;  ///< The answer as it came, JSON.
};

struct HartOptions {
  std::string isa_test;                 ///< ELF file by the riscv-tests convention.
  uint64_t instructions = 100'000'000;  ///< Most it may take.
  bool misaligned_access = false;
};

struct BenchOptions {
  std::string name;
  std::string json;
};

}  // namespace npuvp::main
