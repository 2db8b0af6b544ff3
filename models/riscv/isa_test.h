// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace npuvp::riscv {

struct IsaTestOptions {
  uint64_t instructions = 100'000'000;  ///< Most the program may take.
  bool misaligned_access = false;
  std::function<void(char)> output;  ///< What the program prints; may be empty.
};

struct IsaTestResult {
  bool passed = false;
  uint64_t instructions = 0;
  std::string message;  ///< Why not, when it has not passed.
};

/// Runs an ELF file by the convention of riscv-tests on one hart with 16 MiB of memory at 0x80000000: the program ends
/// by writing (code << 1) | 1 to the symbol tohost, code 0 for success or else the number of the failed case; the
/// console command and the write system call of the host interface are served. Throws std::runtime_error for a file
/// that is no such program.
[[nodiscard]] IsaTestResult run_isa_test(const std::string& path, const IsaTestOptions& options);

}  // namespace npuvp::riscv
