// SPDX-License-Identifier: Apache-2.0
// Random accesses, legal and illegal, judged by a checker that was written from the specification and knows nothing of
// the models' implementation (tests/models/pcie/checker).
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/models/pcie/checker/random_driver.h"

namespace npuvp::tests {
namespace {

using checker::Bench;
using checker::CardLayout;

#ifdef __SANITIZE_ADDRESS__
constexpr uint64_t kAccesses = 12'000;
#else
constexpr uint64_t kAccesses = 340'000;  // three topologies: a million
#endif
constexpr uint64_t kSeeds = 4;

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 0);
}

CardLayout card(const std::string& name, unsigned virtual_functions = 0) {
  return {.name = name,
          .msix = {.vectors = 8, .table_offset = 0x8000, .pending_offset = 0x9000},
          .virtual_functions = virtual_functions,
          .virtual_bar0_bytes = 64 << 10,
          .virtual_bar2_bytes = 1 << 20,
          .virtual_msix = {.vectors = 3, .table_offset = 0x4000, .pending_offset = 0x5000}};
}

/// PCIE_RANDOM_ACCESSES and PCIE_RANDOM_SEED (one seed only) make longer runs and repeat failures.
void run(Bench& bench) {
  bench.start();
  const uint64_t seed = from_environment("PCIE_RANDOM_SEED", 0);
  const uint64_t first = seed == 0 ? 1 : seed;
  const uint64_t last = seed == 0 ? kSeeds : seed;
  const uint64_t accesses = from_environment("PCIE_RANDOM_ACCESSES", kAccesses) / (last - first + 1);
  checker::RandomDriver(bench, 1).learn();
  ASSERT_FALSE(bench.failed()) << bench.failure() << "\n" << bench.recent();
  for (uint64_t at = first; at <= last; ++at) {
    checker::RandomDriver(bench, at).run(accesses);
    ASSERT_FALSE(bench.failed()) << "seed " << at << ", access " << bench.accesses() << ": " << bench.failure()
                                 << "\nstate:\n"
                                 << bench.state() << "the accesses before:\n"
                                 << bench.recent();
  }
}

TEST(PcieRandom, RootPortAndEndpoint) {
  Bench bench;
  bench.add_card(card("card"), bench.add_root_port(0));
  run(bench);
}

TEST(PcieRandom, SwitchWithVirtualFunctions) {
  Bench bench;
  const auto sockets = bench.add_switch("switch", bench.add_root_port(0x08), 3);
  CardLayout resizable = card("card0");
  resizable.bar2_most_bytes = 16 << 20;
  bench.add_card(resizable, sockets[0]);
  bench.add_card(card("card1", 4), sockets[1]);
  bench.add_card(card("card2", 16), sockets[2]);
  run(bench);
}

TEST(PcieRandom, SwitchBelowSwitch) {
  Bench bench;
  const auto outer = bench.add_switch("outer", bench.add_root_port(0x00), 2);
  const auto inner = bench.add_switch("inner", outer[1], 2);
  bench.add_card(card("card0"), outer[0]);
  bench.add_card(card("card1"), inner[0]);
  bench.add_card(card("card2", 2), inner[1]);
  bench.add_card(card("card3"), bench.add_root_port(0x18));
  run(bench);
}

}  // namespace
}  // namespace npuvp::tests
