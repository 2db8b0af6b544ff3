// SPDX-License-Identifier: Apache-2.0
// Every way in which a DMA command can be refused or fail.
#include <gtest/gtest.h>

#include "models/dma/command_check.h"
#include "tests/models/dma/dma_bench.h"

namespace npuvp::dma {
namespace {

using test::ns;

const uint64_t kSegment = NPU_ADDRESS(0, 0x100);
const uint64_t kShared = NPU_ADDRESS(NPU_SPACE_SHARED, 0x100);
const uint64_t kScratchpad = NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, 0x100);

npu_command good() {
  return copy_command(NPU_COMMAND_TASK_DMA, kSegment, kShared, 2, 64, 64, 64);
}

npu_fault fault_of(const npu_command& command) {
  return check_command(command, NPU_COMMAND_TASK_DMA, 0).fault;
}

TEST(DmaCheck, AcceptsAGoodCommand) {
  EXPECT_EQ(fault_of(good()), NPU_FAULT_NONE);
}

TEST(DmaCheck, RefusesEveryWrongField) {
  auto command = good();
  command.kind = NPU_COMMAND_NEURAL_DMA;
  EXPECT_EQ(fault_of(command), NPU_FAULT_ILLEGAL_COMMAND);
  command = good();
  command.opcode = 0;
  EXPECT_EQ(fault_of(command), NPU_FAULT_ILLEGAL_COMMAND);
  command = good();
  command.engine = 1;
  EXPECT_EQ(fault_of(command), NPU_FAULT_ILLEGAL_COMMAND);
  command = good();
  command.flags = 1;
  EXPECT_EQ(fault_of(command), NPU_FAULT_ILLEGAL_COMMAND);
  command = good();
  command.u.dma.rows = 0;
  EXPECT_EQ(fault_of(command), NPU_FAULT_ILLEGAL_COMMAND);
  command = good();
  command.u.dma.row_bytes = 0;
  EXPECT_EQ(fault_of(command), NPU_FAULT_ILLEGAL_COMMAND);
  for (auto& word : {0, 3, 6}) {
    command = good();
    command.u.dma.reserved[word] = 1;
    EXPECT_EQ(fault_of(command), NPU_FAULT_ILLEGAL_COMMAND);
  }
}

TEST(DmaCheck, NamesTheUnknownSpace) {
  auto command = good();
  command.u.dma.source = NPU_ADDRESS(16, 5);
  auto outcome = check_command(command, NPU_COMMAND_TASK_DMA, 0);
  EXPECT_EQ(outcome.fault, NPU_FAULT_ADDRESS);
  EXPECT_EQ(outcome.fault_address, NPU_ADDRESS(16, 5));
  command = good();
  command.u.dma.destination = NPU_ADDRESS(0xff, 7);
  outcome = check_command(command, NPU_COMMAND_TASK_DMA, 0);
  EXPECT_EQ(outcome.fault, NPU_FAULT_ADDRESS);
  EXPECT_EQ(outcome.fault_address, NPU_ADDRESS(0xff, 7));
}

TEST(DmaCheck, EachKindJoinsItsOwnSpaces) {
  const std::array<uint64_t, 3> spaces{kSegment, kShared, kScratchpad};
  // Rows: source segment, shared, scratchpad; columns: destination in the same order.
  const std::map<npu_command_kind, std::array<std::array<bool, 3>, 3>> allowed{
      {NPU_COMMAND_EXTERNAL_HDMA, {{{true, false, false}, {false, false, false}, {false, false, false}}}},
      {NPU_COMMAND_TASK_DMA, {{{false, true, false}, {true, false, false}, {false, false, false}}}},
      {NPU_COMMAND_NEURAL_DMA, {{{false, false, true}, {false, false, true}, {true, true, false}}}},
  };
  for (const auto& [kind, table] : allowed) {
    for (size_t from = 0; from < 3; ++from) {
      for (size_t to = 0; to < 3; ++to) {
        const auto outcome = check_command(copy_command(kind, spaces[from], spaces[to], 1, 16), kind, 0);
        EXPECT_EQ(outcome.fault, table[from][to] ? NPU_FAULT_NONE : NPU_FAULT_ILLEGAL_COMMAND)
            << kind << " " << from << " " << to;
      }
    }
  }
}

TEST(DmaCheck, RefusesRowsThatLeaveTheSpace) {
  const uint64_t last = NPU_ADDRESS(0, 0x00ffffffffffff00);
  const auto check = [](const npu_command& command) { return check_command(command, NPU_COMMAND_TASK_DMA, 0); };
  EXPECT_EQ(check(copy_command(NPU_COMMAND_TASK_DMA, last, kShared, 1, 0x100)).fault, NPU_FAULT_NONE);
  auto outcome = check(copy_command(NPU_COMMAND_TASK_DMA, last, kShared, 1, 0x101));
  EXPECT_EQ(outcome.fault, NPU_FAULT_ADDRESS);
  EXPECT_EQ(outcome.fault_address, last);
  outcome = check(copy_command(NPU_COMMAND_TASK_DMA, kSegment, kShared, 3, 16, 1ULL << 63, 16));
  EXPECT_EQ(outcome.fault, NPU_FAULT_ADDRESS);
  EXPECT_EQ(outcome.fault_address, kSegment);
  outcome = check(copy_command(NPU_COMMAND_TASK_DMA, kSegment, kShared, 2, 16, 16, ~0ULL - 15));
  EXPECT_EQ(outcome.fault, NPU_FAULT_ADDRESS);
  EXPECT_EQ(outcome.fault_address, kShared);
  // A single row has no stride.
  EXPECT_EQ(check(copy_command(NPU_COMMAND_TASK_DMA, kSegment, kShared, 1, 16, ~0ULL, ~0ULL)).fault, NPU_FAULT_NONE);
}

struct FaultBench : DmaBench {
  explicit FaultBench(const Parameters& parameters = task_dma()) : DmaBench(parameters) {
    space.map(0, NPU_MAP_DRAM, 8);
    space.map(NPU_SPACE_SHARED, NPU_MAP_SHARED, 8);
    target.latency = ns(10);
  }
  static npu_command command() {
    return copy_command(NPU_COMMAND_TASK_DMA, NPU_ADDRESS(0, 0), NPU_ADDRESS(NPU_SPACE_SHARED, 0), 1, 8 * kPage);
  }
};

TEST(DmaFault, ReadErrorNamesTheBurst) {
  FaultBench bench;
  bench.target.failing = NPU_MAP_DRAM + 3 * kPage + 17;
  const auto outcome = bench.execute(FaultBench::command());
  EXPECT_EQ(outcome.fault, NPU_FAULT_BUS);
  EXPECT_EQ(outcome.fault_address, NPU_ADDRESS(0, 3 * kPage));
  EXPECT_EQ(bench.took, ns(20));  // the bursts before it have ended
}

TEST(DmaFault, WriteErrorNamesTheBurst) {
  FaultBench bench;
  bench.target.failing = NPU_MAP_SHARED + 2 * kPage;
  const auto outcome = bench.execute(FaultBench::command());
  EXPECT_EQ(outcome.fault, NPU_FAULT_BUS);
  EXPECT_EQ(outcome.fault_address, NPU_ADDRESS(NPU_SPACE_SHARED, 2 * kPage));
}

TEST(DmaFault, PoisonIsNotWritten) {
  FaultBench bench;
  std::fill(bench.target.data.begin(), bench.target.data.end(), uint8_t{0x55});
  std::fill_n(bench.target.data.begin() + static_cast<int64_t>(test::card_index(NPU_MAP_SHARED)), 8 * kPage, 0);
  bench.target.poisoned = NPU_MAP_DRAM + kPage;
  const auto outcome = bench.execute(FaultBench::command());
  EXPECT_EQ(outcome.fault, NPU_FAULT_POISON);
  EXPECT_EQ(outcome.fault_address, NPU_ADDRESS(0, kPage));
  EXPECT_EQ(bench.target.data[test::card_index(NPU_MAP_SHARED) + kPage - 1], 0x55);
  EXPECT_EQ(bench.target.data[test::card_index(NPU_MAP_SHARED) + kPage], 0);
  bench.target.poisoned.reset();
  EXPECT_TRUE(bench.execute(FaultBench::command()).ok());
}

TEST(DmaFault, TranslationFaultNamesTheRow) {
  FaultBench bench;
  auto outcome = bench.execute(copy_command(NPU_COMMAND_TASK_DMA, NPU_ADDRESS(0, 6 * kPage),
                                            NPU_ADDRESS(NPU_SPACE_SHARED, 0), 3, kPage, kPage, kPage));
  EXPECT_EQ(outcome.fault, NPU_FAULT_ADDRESS);
  EXPECT_EQ(outcome.fault_address, NPU_ADDRESS(0, 8 * kPage));
  bench.space.spaces[NPU_SPACE_SHARED].write_fault = NPU_FAULT_PERMISSION;
  outcome = bench.execute(FaultBench::command());
  EXPECT_EQ(outcome.fault, NPU_FAULT_PERMISSION);
  EXPECT_EQ(outcome.fault_address, NPU_ADDRESS(NPU_SPACE_SHARED, 0));
}

TEST(DmaFault, TaskDmaDoesNotReachTheHost) {
  FaultBench bench;
  bench.space.map(1, NPU_MAP_HOST, 1);
  const auto outcome =
      bench.execute(copy_command(NPU_COMMAND_TASK_DMA, NPU_ADDRESS(1, 0), NPU_ADDRESS(NPU_SPACE_SHARED, 0), 1, 64));
  EXPECT_EQ(outcome.fault, NPU_FAULT_ILLEGAL_COMMAND);
  EXPECT_EQ(outcome.fault_address, NPU_ADDRESS(1, 0));
  EXPECT_TRUE(bench.target.log.empty());
}

TEST(DmaFault, EachDirectionOfTheExternalHdmaIsOneWay) {
  FaultBench bench(external_hdma());
  bench.space.map(1, NPU_MAP_HOST, 1);
  auto to_card = copy_command(NPU_COMMAND_EXTERNAL_HDMA, NPU_ADDRESS(1, 0), NPU_ADDRESS(0, 0), 1, 64);
  auto to_host = copy_command(NPU_COMMAND_EXTERNAL_HDMA, NPU_ADDRESS(0, 0), NPU_ADDRESS(1, 0), 1, 64);
  EXPECT_TRUE(bench.execute(to_card, 0).ok());
  EXPECT_EQ(bench.execute(to_host, 0).fault, NPU_FAULT_ILLEGAL_COMMAND);
  to_card.engine = to_host.engine = 1;
  EXPECT_TRUE(bench.execute(to_host, 1).ok());
  EXPECT_EQ(bench.execute(to_card, 1).fault, NPU_FAULT_ILLEGAL_COMMAND);
  const auto card_only = copy_command(NPU_COMMAND_EXTERNAL_HDMA, NPU_ADDRESS(0, 0), NPU_ADDRESS(0, kPage), 1, 64);
  EXPECT_EQ(bench.execute(card_only, 0).fault, NPU_FAULT_ILLEGAL_COMMAND);
}

TEST(DmaFault, AnAccessThatTheMmuRefusesIsNamedSoAndCarriesTheAddressSpace) {
  DmaBench bench(task_dma());
  bench.space.spaces[0] = {{NPU_MAP_DRAM, NPU_MAP_DRAM + 4096}, NPU_FAULT_NONE};
  bench.space.spaces[NPU_SPACE_SHARED] = {{NPU_MAP_SHARED, NPU_MAP_SHARED + 4096}, NPU_FAULT_NONE};
  bench.asid = 9;
  const auto out = copy_command(NPU_COMMAND_TASK_DMA, NPU_ADDRESS(0, 0), NPU_ADDRESS(NPU_SPACE_SHARED, 0), 1, 8192);
  EXPECT_TRUE(bench.execute(out).ok());
  for (const auto& access : bench.target.log) EXPECT_EQ(access.asid, 9);
  bench.target.untranslated = NPU_MAP_DRAM + 4096;
  auto outcome = bench.execute(out);
  EXPECT_EQ(outcome.fault, NPU_FAULT_TRANSLATION);
  EXPECT_EQ(outcome.fault_address, NPU_ADDRESS(0, 4096));
  // As the destination too; and an error that is none of the MMU's is a bus fault again.
  const auto in = copy_command(NPU_COMMAND_TASK_DMA, NPU_ADDRESS(NPU_SPACE_SHARED, 0), NPU_ADDRESS(0, 0), 1, 8192);
  outcome = bench.execute(in);
  EXPECT_EQ(outcome.fault, NPU_FAULT_TRANSLATION);
  EXPECT_EQ(outcome.fault_address, NPU_ADDRESS(0, 4096));
  bench.target.untranslated.reset();
  bench.target.failing = NPU_MAP_DRAM;
  EXPECT_EQ(bench.execute(in).fault, NPU_FAULT_BUS);
}

}  // namespace
}  // namespace npuvp::dma
