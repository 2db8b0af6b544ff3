// SPDX-License-Identifier: Apache-2.0
// Chains of descriptors in memory, channels that share an engine, commands that are cancelled.
#include <gtest/gtest.h>

#include "models/dma/command_check.h"
#include "tests/models/dma/dma_bench.h"

namespace npuvp::dma {
namespace {

using test::ns;

constexpr uint64_t kChain = 0x8000;  // in segment 0
const uint64_t kShared = NPU_ADDRESS(NPU_SPACE_SHARED, 0);

struct ChainBench : DmaBench {
  explicit ChainBench(const Parameters& parameters = task_dma()) : DmaBench(parameters) {
    space.merges_pages = true;
    space.map(0, NPU_MAP_DRAM, 16);
    space.map(NPU_SPACE_SHARED, NPU_MAP_SHARED, 16);
    for (uint32_t i = 0; i < 4096; ++i) target.put(NPU_MAP_DRAM + 4 * i, i * 2654435761U);
  }
  /// Descriptor `number` copies 256 bytes from 1024 * number to 256 * number.
  void put(uint32_t number, uint64_t next) {
    npu_dma_descriptor descriptor{};
    descriptor.next = next;
    descriptor.opcode = NPU_DMA_COPY;
    descriptor.u.dma = {number * 1024ULL, kShared + number * 256ULL, 2, 128, 512, 128, {}};
    target.put(NPU_MAP_DRAM + kChain + number * 128ULL, descriptor);
  }
  void put_chain(uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) put(i, i + 1 == count ? NPU_DMA_CHAIN_END : kChain + (i + 1) * 128ULL);
  }
  void expect_moved(uint32_t number, bool moved) {
    for (uint32_t row = 0; row < 2; ++row) {
      const auto* from = target.data.data() + test::card_index(NPU_MAP_DRAM) + number * 1024ULL + row * 512ULL;
      const auto* to = target.data.data() + test::card_index(NPU_MAP_SHARED) + number * 256ULL + row * 128ULL;
      EXPECT_EQ(std::memcmp(from, to, 128) == 0, moved) << "descriptor " << number << " row " << row;
    }
  }
};

npu_command chain_command(uint32_t limit) {
  npu_command command{};
  command.kind = NPU_COMMAND_TASK_DMA;
  command.opcode = NPU_DMA_CHAIN;
  command.u.chain.descriptor = kChain;
  command.u.chain.limit = limit;
  return command;
}

TEST(DmaChain, RunsDescriptorsOneAfterTheOther) {
  ChainBench bench;
  bench.put_chain(5);
  EXPECT_TRUE(bench.execute(chain_command(5)).ok());
  for (uint32_t i = 0; i < 5; ++i) bench.expect_moved(i, true);
}

TEST(DmaChain, ReadsADescriptorWhileTheOneBeforeItRuns) {
  ChainBench bench;
  bench.put_chain(3);
  bench.target.latency = ns(40);
  EXPECT_TRUE(bench.execute(chain_command(3)).ok());
  // Fetch of 0 ends at 40; 0 reads and 1 is fetched from 40 to 80, then 1 reads and 2 is fetched; 2 reads at 120 and
  // writes until 200.
  std::vector<sc_core::sc_time> fetches;
  for (const auto& access : bench.target.log) {
    if (access.address >= NPU_MAP_DRAM + kChain && !access.write) fetches.push_back(access.arrival);
  }
  EXPECT_EQ(fetches, (std::vector{ns(0), ns(40), ns(80)}));
  EXPECT_EQ(bench.took, ns(200));
}

TEST(DmaChain, AFaultNamesDescriptorAndElement) {
  ChainBench bench;
  bench.put_chain(4);
  bench.target.failing = NPU_MAP_DRAM + 2 * 1024 + 512 + 9;  // second row of descriptor 2
  const auto outcome = bench.execute(chain_command(9));
  EXPECT_EQ(outcome.fault, NPU_FAULT_BUS);
  EXPECT_EQ(outcome.fault_address, 2U * 1024 + 512);
  EXPECT_EQ(outcome.position, NPU_DMA_POSITION(2, 128));
  bench.expect_moved(1, true);
  bench.expect_moved(3, false);
}

TEST(DmaChain, ACircleEndsAtTheLimit) {
  ChainBench bench;
  bench.put(0, kChain + 128);
  bench.put(1, kChain);
  const auto outcome = bench.execute(chain_command(7));
  EXPECT_EQ(outcome.fault, NPU_FAULT_ILLEGAL_COMMAND);
  EXPECT_EQ(outcome.fault_address, kChain + 128);
  EXPECT_EQ(outcome.position, NPU_DMA_POSITION(6, 256));
}

TEST(DmaChain, ABadDescriptorIsNamedAndThoseBeforeItHaveRun) {
  ChainBench bench;
  bench.put_chain(2);
  npu_dma_descriptor bad{};
  bad.next = NPU_DMA_CHAIN_END;
  bad.opcode = NPU_DMA_CHAIN;
  bench.target.put(NPU_MAP_DRAM + kChain + 128, bad);
  auto outcome = bench.execute(chain_command(2));
  EXPECT_EQ(outcome.fault, NPU_FAULT_ILLEGAL_COMMAND);
  EXPECT_EQ(outcome.fault_address, kChain + 128);
  EXPECT_EQ(outcome.position, NPU_DMA_POSITION(1, 0));
  bench.expect_moved(0, true);
  bench.put(0, NPU_ADDRESS(0, 16 * kPage));  // outside of the segment
  outcome = bench.execute(chain_command(2));
  EXPECT_EQ(outcome.fault, NPU_FAULT_ADDRESS);
  EXPECT_EQ(outcome.fault_address, NPU_ADDRESS(0, 16 * kPage));
  bench.put(0, NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, 0));
  EXPECT_EQ(bench.execute(chain_command(2)).fault, NPU_FAULT_ADDRESS);
}

TEST(DmaChain, RefusesEveryWrongField) {
  const auto fault = [](auto change) {
    auto command = chain_command(3);
    change(command.u.chain);
    return check_command(command, NPU_COMMAND_TASK_DMA, 0).fault;
  };
  EXPECT_EQ(fault([](auto&) {}), NPU_FAULT_NONE);
  EXPECT_EQ(fault([](auto& c) { c.limit = 0; }), NPU_FAULT_ILLEGAL_COMMAND);
  EXPECT_EQ(fault([](auto& c) { c.limit = NPU_DMA_CHAIN_LIMIT + 1; }), NPU_FAULT_ILLEGAL_COMMAND);
  EXPECT_EQ(fault([](auto& c) { c.descriptor += 64; }), NPU_FAULT_ILLEGAL_COMMAND);
  EXPECT_EQ(fault([](auto& c) { c.reserved[9] = 1; }), NPU_FAULT_ILLEGAL_COMMAND);
  EXPECT_EQ(fault([](auto& c) { c.descriptor = NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, 0); }), NPU_FAULT_ADDRESS);
}

TEST(DmaChannels, ShareTheEnginesBurstsInTurn) {
  Parameters parameters{.kind = NPU_COMMAND_NEURAL_DMA, .channels = 3, .start_latency = sc_core::SC_ZERO_TIME};
  parameters.engine_outstanding_bursts = 2;
  DmaBench bench(parameters);
  bench.space.map(0, NPU_MAP_DRAM, 16);
  bench.space.map(NPU_SPACE_SCRATCHPAD, NPU_MAP_SCRATCHPAD, 16);
  bench.target.latency = ns(50);
  std::vector<std::pair<unsigned, sc_core::sc_time>> ends;
  for (const auto& [channel, pages] : std::vector<std::pair<unsigned, uint32_t>>{{0, 8}, {1, 2}, {2, 2}}) {
    sc_core::sc_spawn([&, channel = channel, pages = pages] {
      auto command = copy_command(NPU_COMMAND_NEURAL_DMA, 0, NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, 0), 1,
                                  static_cast<uint32_t>(pages * kPage));
      command.engine = static_cast<uint8_t>(channel);
      EXPECT_TRUE(bench.channel_interface(channel).execute({&command, &bench.space, 0, 0}).ok());
      ends.emplace_back(channel, sc_core::sc_time_stamp());
    });
  }
  sc_core::sc_start(ns(10000), sc_core::SC_EXIT_ON_STARVATION);
  // A burst takes 100 ns, two at a time. Channel 0 finds the engine empty and takes both, then it is in turn:
  // 00 12 01 20 00 00. Channel 2 would wait for 500 ns if channel 0 kept them.
  ASSERT_EQ(ends.size(), 3U);
  EXPECT_EQ(ends.back(), std::pair(0U, ns(600)));
  EXPECT_EQ(ends[0], std::pair(1U, ns(300)));
  EXPECT_EQ(ends[1], std::pair(2U, ns(400)));
}

TEST(DmaCancel, StopsALongTransferWithinABurst) {
  ChainBench bench;
  bench.target.latency = ns(50);
  base::CancelSignal cancel;
  const auto command = copy_command(NPU_COMMAND_TASK_DMA, 0, kShared, 60000, 64, 0, 0);
  base::CommandOutcome outcome;
  sc_core::sc_time end;
  sc_core::sc_spawn([&] {
    base::CommandRequest request{&command, &bench.space, 0, 0};
    request.cancel = &cancel;
    outcome = bench.channel_interface(0).execute(request);
    end = sc_core::sc_time_stamp();
  });
  test::run_thread([&] {
    sc_core::wait(ns(1010));
    cancel.requested = true;
  });
  EXPECT_EQ(outcome.fault, NPU_FAULT_CANCELLED);
  EXPECT_GT(outcome.position, 0U);
  EXPECT_LE(end, ns(1010 + 100));
}

}  // namespace
}  // namespace npuvp::dma
