// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "platform/main/options.h"

namespace npuvp::main {

// Exit statuses of every command; part of the command line's contract.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;  ///< The run's result is wrong, or it failed.
inline constexpr int kExitUsage = 2;   ///< The command line or an input file is wrong.
inline constexpr int kExitBug = 70;    ///< A bug of ours.

// One function a command, each in its own file. They return an exit status and throw config::ConfigError (exit 2).
int demo_command(const GuestOptions& options);
int qemu_command(const GuestOptions& options);
int serve_command(const ServeOptions& options);
int run_command(const RunOptions& options);
int boot_command(const BootOptions& options);
int monitor_command(const MonitorOptions& options);
int test_command(const std::vector<std::string>& ctest_arguments);
int hart_command(const HartOptions& options);
int bench_command(const BenchOptions& options);
int fuzz_command(const FuzzOptions& options);

}  // namespace npuvp::main
