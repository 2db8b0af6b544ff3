// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdio>
#include <stdexcept>

#include "models/riscv/isa_test.h"
#include "platform/main/commands.h"

namespace npuvp::main {

int hart_command(const HartOptions& options) {
  riscv::IsaTestOptions test;
  test.instructions = options.instructions;
  test.misaligned_access = options.misaligned_access;
  test.output = [](char letter) { std::putchar(letter); };
  try {
    const riscv::IsaTestResult result = riscv::run_isa_test(options.isa_test, test);
    if (result.passed) {
      fmt::print("{}: passed, {} instructions\n", options.isa_test, result.instructions);
      return kExitDone;
    }
    fmt::print(stderr, "npuvp: {}: {}\n", options.isa_test, result.message);
    return kExitFailed;
  } catch (const std::runtime_error& error) {
    fmt::print(stderr, "npuvp: {}\n", error.what());
    return kExitUsage;
  }
}

}  // namespace npuvp::main
