// SPDX-License-Identifier: Apache-2.0
// Speed of the plain hart core in million instructions per second of host time; no test, prints one line for each
// program.
#include <fmt/core.h>

#include <chrono>
#include <fstream>
#include <iterator>

#include "models/riscv/hart.h"
#include "tests/models/riscv/flat_bus.h"

int main(int argc, char** argv) {
  using namespace npuvp::riscv;
  constexpr uint64_t kInstructions = 500'000'000;
  constexpr uint64_t kChunk = 10'000;  // as a quantum of 10 us at 1 GHz
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    const std::vector<uint8_t> image{std::istreambuf_iterator<char>(file), {}};
    if (image.empty() || image.size() > test::FlatBus::kRamBytes) {
      fmt::print(stderr, "{}: not a raw program image of up to {} bytes\n", argv[i], test::FlatBus::kRamBytes);
      return 2;
    }
    test::FlatBus bus;
    bus.write(test::FlatBus::kRam, image);
    Hart hart(bus, {.hart_id = 0, .reset_pc = test::FlatBus::kRam});
    const auto begin = std::chrono::steady_clock::now();
    while (hart.instructions_retired() < kInstructions) {
      if (hart.run(kChunk).reason != StopReason::kBudget) return 1;
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    fmt::print("{}: {:.0f} M instructions/s\n", argv[i], static_cast<double>(kInstructions) / seconds.count() / 1e6);
  }
  return 0;
}
