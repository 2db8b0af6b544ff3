// SPDX-License-Identifier: Apache-2.0
// npuvp bench hart: instructions per second of host time of the plain hart core on a mix like firmware's
// (hart_mix.S), beside the same core without direct memory, every access over the bus. Best of three.
#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>

#include "models/riscv/hart.h"
#include "tests/bench/bench_report.h"
#include "tests/models/riscv/flat_bus.h"

namespace {

using namespace npuvp::riscv;

constexpr uint64_t kChunk = 10'000;  // as a quantum of 10 us at 1 GHz

/// Million instructions per second; 0 if the program left its loop.
double measure(const std::vector<uint8_t>& image, bool direct_memory, uint64_t instructions) {
  double best = 0;
  for (int run = 0; run < 3; ++run) {
    test::FlatBus bus;
    bus.direct_memory = direct_memory;
    bus.write(test::FlatBus::kRam, image);
    Hart hart(bus, {.hart_id = 0, .reset_pc = test::FlatBus::kRam});
    const auto begin = std::chrono::steady_clock::now();
    while (hart.instructions_retired() < instructions) {
      if (hart.run(kChunk, BusAccess::kAllowed).reason != StopReason::kBudget) return 0;
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    best = std::max(best, static_cast<double>(instructions) / seconds.count() / 1e6);
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  std::ifstream file(NPUVP_HART_MIX, std::ios::binary);
  const std::vector<uint8_t> image{std::istreambuf_iterator<char>(file), {}};
  if (image.empty() || image.size() > test::FlatBus::kRamBytes) {
    fmt::print(stderr, "npuvp: {} is not a program for the hart; build again\n", NPUVP_HART_MIX);
    return 1;
  }
  npuvp::bench::Report report(argc, argv);
  report.add("hart.mix", measure(image, true, 300'000'000), "M instructions/s", "every access over the bus",
             measure(image, false, 3'000'000));
  return report.finish();
}
