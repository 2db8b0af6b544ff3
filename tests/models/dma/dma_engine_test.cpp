// SPDX-License-Identifier: Apache-2.0
// Registers of a DMA engine: counters, the firmware channel, reset.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "tests/models/dma/dma_bench.h"

namespace npuvp::dma {
namespace {

using test::ns;

struct EngineBench : DmaBench {
  EngineBench() : DmaBench(external_hdma()) {
    engine.irq.connect([this](bool level) {
      irq = level;
      if (level) irq_at = sc_core::sc_time_stamp();
    });
    space.map(0, NPU_MAP_HOST, 16);
    space.map(1, NPU_MAP_DRAM, 16);
    target.latency = ns(50);
  }

  void start_copy(uint64_t source, uint64_t destination, uint32_t bytes) {
    hart.write(DMA_SOURCE, source);
    hart.write(DMA_DESTINATION, destination);
    hart.write(DMA_BYTES, bytes);
    hart.write(DMA_CONTROL, uint32_t{DMA_CONTROL_START_MASK});
  }
  uint32_t status() { return hart.read<uint32_t>(DMA_STATUS); }

  bool irq = false;
  sc_core::sc_time irq_at;
};

TEST(DmaEngine, TellsItsKind) {
  EngineBench bench;
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  EXPECT_EQ(bench.hart.read<uint32_t>(DMA_KIND), uint32_t{NPU_COMMAND_EXTERNAL_HDMA});
}

TEST(DmaEngine, FirmwareChannelCopiesAndInterrupts) {
  EngineBench bench;
  for (uint64_t i = 0; i < 10000; ++i) bench.target.data[i] = static_cast<uint8_t>(i * 7);
  test::run_thread([&] {
    bench.hart.write(DMA_IRQ_ENABLE, uint32_t{1});
    bench.start_copy(NPU_MAP_HOST + 5, NPU_MAP_DRAM + 77, 9990);
    EXPECT_EQ(bench.status(), DMA_STATUS_BUSY_MASK);
    while (!bench.irq) sc_core::wait(ns(1));
    EXPECT_EQ(bench.status(), DMA_STATUS_DONE_MASK);
    bench.hart.write(DMA_STATUS, uint32_t{DMA_STATUS_DONE_MASK});
    EXPECT_FALSE(bench.irq);
    EXPECT_EQ(bench.status(), 0U);
  });
  EXPECT_EQ(bench.irq_at, ns(100));  // a read and a write of 50 ns, all bursts at once
  const uint64_t dram = test::card_index(NPU_MAP_DRAM);
  for (uint64_t i = 0; i < 9990; ++i) ASSERT_EQ(bench.target.data[dram + 77 + i], static_cast<uint8_t>((i + 5) * 7));
  EXPECT_EQ(bench.target.data[dram + 76], 0);
  EXPECT_EQ(bench.target.data[dram + 77 + 9990], 0);
  EXPECT_EQ(bench.hart.read<uint64_t>(DMA_BYTES_READ), 9990U);
  EXPECT_EQ(bench.hart.read<uint64_t>(DMA_BYTES_WRITTEN), 9990U);
  EXPECT_EQ(bench.hart.read<uint64_t>(DMA_COMMANDS), 0U);
  EXPECT_EQ(bench.environment.diagnostics().misuse_count(), 0U);
}

TEST(DmaEngine, FirmwareChannelReportsTheAddressThatFailed) {
  EngineBench bench;
  bench.target.failing = NPU_MAP_DRAM + 5000;
  test::run_thread([&] {
    bench.start_copy(NPU_MAP_HOST, NPU_MAP_DRAM, 8192);
    sc_core::wait(ns(1000));
    EXPECT_EQ(bench.status(), DMA_STATUS_DONE_MASK | DMA_STATUS_ERROR_MASK);
    EXPECT_EQ(bench.hart.read<uint64_t>(DMA_ERROR_ADDRESS), NPU_MAP_DRAM + 4096);
    bench.target.failing.reset();
    bench.start_copy(NPU_MAP_HOST, NPU_MAP_DRAM, 8192);
    EXPECT_EQ(bench.status(), DMA_STATUS_BUSY_MASK);
    EXPECT_EQ(bench.hart.read<uint64_t>(DMA_ERROR_ADDRESS), 0U);
    sc_core::wait(ns(1000));
    EXPECT_EQ(bench.status(), DMA_STATUS_DONE_MASK);
  });
}

TEST(DmaEngine, FirmwareChannelRefusesNothingAndWrapping) {
  EngineBench bench;
  test::run_thread([&] {
    for (const auto& [source, destination, bytes] :
         {std::tuple{NPU_MAP_HOST, NPU_MAP_DRAM, 0U}, std::tuple{~0ULL - 3, NPU_MAP_DRAM, 5U},
          std::tuple{NPU_MAP_HOST, ~0ULL, 2U}}) {
      bench.start_copy(source, destination, bytes);
      sc_core::wait(ns(1000));
      EXPECT_EQ(bench.status(), DMA_STATUS_DONE_MASK | DMA_STATUS_ERROR_MASK);
    }
  });
  EXPECT_TRUE(bench.target.log.empty());
}

TEST(DmaEngine, FirmwareChannelReachesTheHostInTheNameOfItsFunction) {
  EngineBench bench;
  test::run_thread([&] {
    for (uint32_t function : {16U, 0U}) {
      bench.hart.write(DMA_FUNCTION, function);
      bench.start_copy(NPU_MAP_HOST, NPU_MAP_DRAM, 64);
      bench.hart.write(DMA_FUNCTION, uint32_t{3});  // for a later copy
      sc_core::wait(ns(1000));
    }
    bench.hart.write(DMA_FUNCTION, uint32_t{17});
    EXPECT_EQ(bench.hart.read<uint32_t>(DMA_FUNCTION), 3U);
    EXPECT_EQ(bench.environment.diagnostics().misuse_count(), 1U);
  });
  ASSERT_EQ(bench.target.log.size(), 4U);
  EXPECT_EQ(bench.target.log[0].function, 16U);
  EXPECT_EQ(bench.target.log[1].function, 16U);
  EXPECT_EQ(bench.target.log[2].function, 0U);
}

TEST(DmaEngine, ACommandReachesTheHostInTheNameOfItsJobsFunction) {
  EngineBench bench;
  const auto command = copy_command(NPU_COMMAND_EXTERNAL_HDMA, NPU_ADDRESS(0, 0), NPU_ADDRESS(1, 0), 1, 100);
  bench.target.latency = ns(50);
  test::run_thread([&] {
    // A copy of the firmware's in between does not change whose accesses the command's are.
    bench.start_copy(NPU_MAP_HOST, NPU_MAP_DRAM, 64);
    bench.channel_interface(0).execute({&command, &bench.space, 0, 0, 7});
    sc_core::wait(ns(1000));
  });
  unsigned of_command = 0;
  for (const auto& access : bench.target.log) {
    EXPECT_EQ(access.function, access.bytes == 100 ? 7U : 0U);
    of_command += access.bytes == 100 ? 1 : 0;
  }
  EXPECT_EQ(of_command, 2U);
}

TEST(DmaEngine, FirmwareChannelFillsCardMemoryWithZeros) {
  EngineBench bench;
  std::fill(bench.target.data.begin(), bench.target.data.end(), uint8_t{0xa5});
  const uint32_t bytes = (1U << 20) + 5;
  test::run_thread([&] {
    bench.hart.write(DMA_SOURCE, ~0ULL);
    bench.hart.write(DMA_DESTINATION, NPU_MAP_DRAM + 77);
    bench.hart.write(DMA_BYTES, bytes);
    bench.hart.write(DMA_CONTROL, uint32_t{DMA_CONTROL_FILL_MASK});
    EXPECT_EQ(bench.status(), DMA_STATUS_BUSY_MASK);
    sc_core::wait(ns(1000));
    EXPECT_EQ(bench.status(), DMA_STATUS_DONE_MASK);
  });
  const auto dram = bench.target.data.begin() + static_cast<int64_t>(test::card_index(NPU_MAP_DRAM));
  EXPECT_EQ(dram[76], 0xa5);
  EXPECT_EQ(std::count(dram + 77, dram + 77 + bytes, 0), bytes);
  EXPECT_EQ(dram[77 + bytes], 0xa5);
  EXPECT_EQ(bench.target.log.size(), 5U);  // 256 KiB each, the first ends at a multiple of it
  EXPECT_EQ(bench.hart.read<uint64_t>(DMA_BYTES_READ), 0U);
  EXPECT_EQ(bench.hart.read<uint64_t>(DMA_BYTES_WRITTEN), bytes);
}

TEST(DmaEngine, FirmwareChannelFillsNoHostMemory) {
  EngineBench bench;
  test::run_thread([&] {
    bench.hart.write(DMA_DESTINATION, NPU_MAP_HOST + 4096);
    bench.hart.write(DMA_BYTES, uint32_t{4096});
    bench.hart.write(DMA_CONTROL, uint32_t{DMA_CONTROL_FILL_MASK});
    sc_core::wait(ns(1000));
    EXPECT_EQ(bench.status(), DMA_STATUS_DONE_MASK | DMA_STATUS_ERROR_MASK);
    EXPECT_EQ(bench.hart.read<uint64_t>(DMA_ERROR_ADDRESS), NPU_MAP_HOST + 4096);
  });
  EXPECT_TRUE(bench.target.log.empty());
}

TEST(DmaEngine, ReportsAStartWhileBusy) {
  EngineBench bench;
  test::run_thread([&] {
    bench.start_copy(NPU_MAP_HOST, NPU_MAP_DRAM, 64);
    bench.hart.write(DMA_CONTROL, uint32_t{DMA_CONTROL_START_MASK});
    EXPECT_EQ(bench.environment.diagnostics().misuse_count(), 1U);
  });
  EXPECT_EQ(bench.target.log.size(), 2U);
}

TEST(DmaEngine, CountsCommandsBytesAndBusyTime) {
  EngineBench bench;
  auto to_card = copy_command(NPU_COMMAND_EXTERNAL_HDMA, NPU_ADDRESS(0, 0), NPU_ADDRESS(1, 0), 1, 100);
  auto to_host = copy_command(NPU_COMMAND_EXTERNAL_HDMA, NPU_ADDRESS(1, 0), NPU_ADDRESS(0, 0), 1, 30);
  to_host.engine = 1;
  // 100 ns each, the second starts 40 ns after the first: busy for 140 ns.
  sc_core::sc_spawn([&] { bench.channel_interface(0).execute({&to_card, &bench.space, 0, 0}); });
  test::run_thread([&] {
    sc_core::wait(ns(40));
    EXPECT_EQ(bench.hart.read<uint64_t>(DMA_BUSY_NS), 40U);
    bench.channel_interface(1).execute({&to_host, &bench.space, 0, 0});
    sc_core::wait(ns(500));
    EXPECT_EQ(bench.hart.read<uint64_t>(DMA_BUSY_NS), 140U);
    EXPECT_EQ(bench.hart.read<uint64_t>(DMA_COMMANDS), 2U);
    EXPECT_EQ(bench.hart.read<uint64_t>(DMA_BYTES_READ), 130U);
    EXPECT_EQ(bench.hart.read<uint64_t>(DMA_BYTES_WRITTEN), 130U);
  });
}

TEST(DmaEngine, ResetAbandonsWhatRunsAndLeavesNothingBehind) {
  EngineBench bench;
  const auto command = copy_command(NPU_COMMAND_EXTERNAL_HDMA, NPU_ADDRESS(0, 0), NPU_ADDRESS(1, 0), 1, 1000);
  base::CommandOutcome outcome;
  sc_core::sc_time returned;
  sc_core::sc_spawn([&] {
    outcome = bench.channel_interface(0).execute({&command, &bench.space, 0, 0});
    returned = sc_core::sc_time_stamp();
  });
  test::run_thread([&] {
    bench.hart.write(DMA_IRQ_ENABLE, uint32_t{1});
    bench.start_copy(NPU_MAP_HOST, NPU_MAP_DRAM, 64);
    sc_core::wait(ns(30));
    bench.engine.reset();
    EXPECT_EQ(bench.status(), 0U);
    // At once a new copy: the abandoned one must not end it.
    bench.hart.write(DMA_IRQ_ENABLE, uint32_t{1});
    bench.start_copy(NPU_MAP_HOST, NPU_MAP_DRAM, 64);
    sc_core::wait(ns(99));
    EXPECT_EQ(bench.status(), DMA_STATUS_BUSY_MASK);
    EXPECT_FALSE(bench.irq);
    sc_core::wait(ns(2));
    EXPECT_EQ(bench.status(), DMA_STATUS_DONE_MASK);
    EXPECT_TRUE(bench.irq);
  });
  EXPECT_EQ(returned, ns(30));
  EXPECT_FALSE(outcome.ok());
  EXPECT_EQ(bench.hart.read<uint64_t>(DMA_COMMANDS), 0U);
  EXPECT_EQ(bench.hart.read<uint64_t>(DMA_BUSY_NS), 0U);
  EXPECT_EQ(bench.hart.read<uint64_t>(DMA_BYTES_READ), 64U);
}

TEST(DmaEngine, ResetStopsATransferBetweenItsBursts) {
  auto parameters = external_hdma();
  parameters.outstanding_bursts = 1;
  DmaBench bench(parameters);
  bench.space.map(0, NPU_MAP_HOST, 5);
  bench.space.map(1, NPU_MAP_DRAM, 5);
  bench.target.latency = ns(50);
  const auto command = copy_command(NPU_COMMAND_EXTERNAL_HDMA, NPU_ADDRESS(0, 0), NPU_ADDRESS(1, 0), 1, 5 * kPage);
  sc_core::sc_spawn([&] {
    sc_core::wait(ns(150));
    bench.engine.reset();
  });
  EXPECT_FALSE(bench.execute(command).ok());
  EXPECT_EQ(bench.took, ns(150));
  EXPECT_EQ(bench.target.log.size(), 4U);  // the bursts of 0 and 100 ns
}

TEST(DmaEngine, AChannelResetEndsItsCommandAndNoOther) {
  EngineBench bench;
  const auto to_card = copy_command(NPU_COMMAND_EXTERNAL_HDMA, NPU_ADDRESS(0, 0), NPU_ADDRESS(1, 0), 1, 1000);
  auto to_host = copy_command(NPU_COMMAND_EXTERNAL_HDMA, NPU_ADDRESS(1, 0), NPU_ADDRESS(0, 0), 1, 1000);
  to_host.engine = 1;
  std::array<base::CommandOutcome, 2> outcomes;
  std::array<sc_core::sc_time, 2> returned;
  const auto run = [&](unsigned channel, const npu_command& command) {
    outcomes.at(channel) = bench.channel_interface(channel).execute({&command, &bench.space, 7, 12});
    returned.at(channel) = sc_core::sc_time_stamp();
  };
  sc_core::sc_spawn([&] { run(0, to_card); });
  sc_core::sc_spawn([&] { run(1, to_host); });
  test::run_thread([&] {
    bench.start_copy(NPU_MAP_HOST, NPU_MAP_DRAM, 64);
    sc_core::wait(ns(30));
    EXPECT_EQ(bench.hart.read<uint32_t>(DMA_CHANNEL_STATUS(0)), 7U << 16 | 1U);
    EXPECT_EQ(bench.hart.read<uint32_t>(DMA_CHANNEL_COMMAND(0)), 12U);
    bench.hart.write(DMA_CHANNEL_RESET, uint32_t{1} << 0);
    sc_core::wait(ns(1));
    EXPECT_EQ(bench.hart.read<uint32_t>(DMA_CHANNEL_STATUS(0)), 0U);
    EXPECT_EQ(bench.hart.read<uint32_t>(DMA_CHANNEL_STATUS(1)), 7U << 16 | 1U);
    sc_core::wait(ns(200));
    EXPECT_EQ(bench.status(), DMA_STATUS_DONE_MASK);
    EXPECT_EQ(bench.hart.read<uint64_t>(DMA_COMMANDS), 1U);
    EXPECT_EQ(bench.hart.read<uint64_t>(DMA_BUSY_NS), 100U);
  });
  EXPECT_EQ(outcomes[0].fault, NPU_FAULT_BUS);
  EXPECT_EQ(returned[0], ns(30));
  EXPECT_TRUE(outcomes[1].ok());
  EXPECT_EQ(returned[1], ns(100));
}

TEST(DmaEngine, AChannelResetEndsAChainToo) {
  EngineBench bench;
  auto command = copy_command(NPU_COMMAND_EXTERNAL_HDMA, NPU_ADDRESS(0, 0), NPU_ADDRESS(1, 0), 1, 1000);
  npu_dma_descriptor circle{};
  circle.next = NPU_ADDRESS(1, 4096);
  circle.opcode = NPU_DMA_COPY;
  circle.u.dma = command.u.dma;
  bench.target.put(NPU_MAP_DRAM + 4096, circle);
  command.opcode = NPU_DMA_CHAIN;
  command.u.chain = {};
  command.u.chain.descriptor = NPU_ADDRESS(1, 4096);
  command.u.chain.limit = NPU_DMA_CHAIN_LIMIT;
  sc_core::sc_spawn([&] {
    sc_core::wait(ns(1020));
    bench.hart.write(DMA_CHANNEL_RESET, uint32_t{1});
  });
  EXPECT_EQ(bench.execute(command).fault, NPU_FAULT_BUS);
  EXPECT_EQ(bench.took, ns(1020));
}

TEST(DmaEngine, ACommandToldToHangEndsByAResetAndTheNextOneWorks) {
  EngineBench bench;
  const auto command = copy_command(NPU_COMMAND_EXTERNAL_HDMA, NPU_ADDRESS(0, 0), NPU_ADDRESS(1, 0), 1, 1000);
  sc_core::sc_spawn([&] {
    sc_core::wait(ns(5'000'000));
    bench.hart.write(DMA_CHANNEL_RESET, uint32_t{1});
  });
  bench.engine.hang_next_command(0);
  EXPECT_EQ(bench.execute(command).fault, NPU_FAULT_BUS);
  EXPECT_EQ(bench.took, ns(5'000'000));
  EXPECT_TRUE(bench.target.log.empty());
  EXPECT_TRUE(bench.execute(command).ok());
}

}  // namespace
}  // namespace npuvp::dma
