// SPDX-License-Identifier: Apache-2.0
// Runs self-checking programs, assembled by the GNU assembler; a failed case is named by its number in the source.
#include <gtest/gtest.h>

#include "models/riscv/elf_program.h"
#include "models/riscv/hart.h"
#include "tests/models/riscv/flat_bus.h"

namespace npuvp::riscv::test {
namespace {

constexpr uint64_t kLimit = 1'000'000;

struct Case {
  const char* program;
  bool direct_memory;  ///< Otherwise each fetch, load and store is a bus access.
};

class Programs : public testing::TestWithParam<Case> {};

TEST_P(Programs, ReportSuccess) {
  const ElfProgram program = ElfProgram::load(std::string(NPUVP_TEST_PROGRAMS) + "/" + GetParam().program + ".elf");
  ASSERT_NE(program.tohost, 0u);
  FlatBus bus;
  bus.direct_memory = GetParam().direct_memory;
  for (const auto& segment : program.segments) {
    ASSERT_GE(segment.address, FlatBus::kRam);
    ASSERT_LE(segment.address + segment.bytes.size(), FlatBus::kRam + FlatBus::kRamBytes);
    bus.write(segment.address, segment.bytes);
  }
  Hart hart(bus, {.hart_id = 0, .reset_pc = program.entry});
  hart.run(kLimit, BusAccess::kAllowed);
  const auto tohost = bus.peek<uint64_t>(program.tohost);
  ASSERT_NE(tohost, 0u) << "no end after " << kLimit << " instructions, pc " << std::hex << hart.pc();
  EXPECT_EQ(tohost, 1u) << "case " << (tohost >> 1) << " failed, mepc " << std::hex << *hart.read_csr(csr::kMepc);
}

INSTANTIATE_TEST_SUITE_P(Direct, Programs,
                         testing::Values(Case{"integer", true}, Case{"multiply", true}, Case{"atomic", true},
                                         Case{"compressed", true}, Case{"page_crossing", true}),
                         [](const auto& tested) { return std::string(tested.param.program); });
INSTANTIATE_TEST_SUITE_P(BusOnly, Programs,
                         testing::Values(Case{"integer", false}, Case{"multiply", false}, Case{"atomic", false},
                                         Case{"compressed", false}, Case{"page_crossing", false}),
                         [](const auto& tested) { return std::string(tested.param.program); });

}  // namespace
}  // namespace npuvp::riscv::test
