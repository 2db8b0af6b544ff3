// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <string_view>
#include <vector>

namespace npuvp::riscv::test {

/// Where random programs lie; the same on the reference, whose other devices they never touch.
inline constexpr uint64_t kProgramBase = 0x80000000;
inline constexpr uint64_t kProgramData = 0x800c0000;  ///< Middle of the data that loads and stores reach.
inline constexpr uint64_t kProgramBytes = 0x100000;
inline constexpr uint64_t kExitDevice = 0x100000;  ///< QEMU's sifive_test: 0x5555 ends the run.

/// The extension groups, by the name of the option.
[[nodiscard]] std::span<const std::string_view> groups();

/// A random program of one group: sets up registers and a trap handler that skips the instruction, goes `rounds` times
/// through a body of about `length` instructions with changing data, and ends by a store to kExitDevice.
struct RandomProgram {
  std::vector<uint8_t> image;  ///< At kProgramBase; code and data.
  uint64_t exit_pc = 0;        ///< Address of the store that ends it.
};
[[nodiscard]] RandomProgram make_program(std::string_view group, uint64_t seed, unsigned length, unsigned rounds);

}  // namespace npuvp::riscv::test
