// SPDX-License-Identifier: Apache-2.0
// Random accesses, legal and illegal, judged by a checker that was written from the specification and knows nothing of
// the models' implementation (tests/models/pcie/checker).
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

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
  const Bench::Counts& counts = bench.counts();
  std::cout << "reached " << counts.reached << ", refused " << counts.refused << ", undefined " << counts.undefined
            << "\n";
  EXPECT_LT(counts.undefined, bench.accesses() / 10) << "too little is judged";
  EXPECT_GT(counts.refused, bench.accesses() / 10) << "too little is illegal";
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

/// The checker itself: what it was not told, it must notice.
struct Tampering {
  const char* name;
  uint16_t id;
  unsigned offset;
  unsigned bytes;
  uint32_t value;
};
class PcieChecker : public testing::TestWithParam<Tampering> {};

TEST_P(PcieChecker, Notices) {
  Bench bench;
  const auto sockets = bench.add_switch("switch", bench.add_root_port(0), 2);
  bench.add_card(card("card0"), sockets[0]);
  bench.add_card(card("card1", 4), sockets[1]);
  bench.start();
  checker::RandomDriver driver(bench, 5);
  driver.learn();
  driver.begin_episode(true);
  driver.look_around(3000);
  ASSERT_FALSE(bench.failed()) << bench.failure();
  const Tampering& tampering = GetParam();
  bench.tamper(tampering.id, tampering.offset, tampering.bytes, tampering.value);
  driver.look_around(10'000);
  EXPECT_TRUE(bench.failed());
}

// Bus 1: upstream port; 2: downstream ports; 3: card0; 4: card1, virtual functions from function 1.
INSTANTIATE_TEST_SUITE_P(
    All, PcieChecker,
    testing::Values(Tampering{"Window", 0x200, 0x22, 2, 0xc000 - 0x10}, Tampering{"Bar", 0x300, 0x10, 4, 0xc002'0000},
                    Tampering{"MemoryEnable", 0x400, 0x04, 2, 4}, Tampering{"BridgeMaster", 0x208, 0x04, 2, 2},
                    Tampering{"VirtualMaster", 0x402, 0x04, 2, 0}, Tampering{"BusNumber", 0x208, 0x1a, 1, 9},
                    Tampering{"PowerState", 0x300, 0x84, 1, 3}, Tampering{"FunctionReset", 0x400, 0x49, 1, 0x80},
                    Tampering{"HotReset", 0x200, 0x3e, 1, 0x40}, Tampering{"Ari", 0x208, 0x68, 2, 0},
                    Tampering{"LatencyRegister", 0x100, 0x0c, 1, 0x5a}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace npuvp::tests
