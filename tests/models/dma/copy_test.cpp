// SPDX-License-Identifier: Apache-2.0
// What DMA commands move, and how long it takes.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "models/dram/dram.h"
#include "models/memory/memory.h"
#include "models/noc/crossbar.h"
#include "tests/models/dma/dma_bench.h"

namespace npuvp::dma {
namespace {

using test::below;
using test::ns;

/// Contents of a space as one piece, gathered page by page.
std::vector<uint8_t> gather(DmaBench& bench, uint32_t space) {
  std::vector<uint8_t> bytes;
  for (const uint64_t page : bench.space.spaces[space].pages) {
    const auto begin = bench.target.data.begin() + static_cast<int64_t>(test::card_index(page));
    bytes.insert(bytes.end(), begin, begin + static_cast<int64_t>(kPage));
  }
  return bytes;
}

/// 40 pages of the host in random order as segment 0, 40 pages of DRAM as segment 1, random contents.
void scatter(DmaBench& bench, std::mt19937& random) {
  std::vector<uint64_t> order(40);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), random);
  for (const uint64_t page : order) bench.space.spaces[0].pages.push_back(NPU_MAP_HOST + page * kPage);
  bench.space.map(1, NPU_MAP_DRAM, 40);
  std::generate_n(bench.target.data.begin(), 40 * kPage, [&] { return static_cast<uint8_t>(random()); });
}

TEST(DmaCopy, MovesUnalignedRowsBetweenScatteredPagesLikeMemcpy) {
  DmaBench bench(external_hdma());
  std::mt19937 random(11);
  scatter(bench, random);
  test::run_thread([&] {
    for (int round = 0; round < 60; ++round) {
      const bool to_card = below(random, 2) == 0;
      const uint32_t from = to_card ? 0 : 1;
      const uint32_t to = 1 - from;
      const uint32_t rows = 1 + below(random, 12);
      const uint32_t row_bytes = 1 + below(random, round % 3 == 0 ? 9000 : 300);
      const uint64_t source_stride = below(random, 4000);
      const uint64_t destination_stride = row_bytes + below(random, 500);
      const uint64_t source = below(random, 40 * kPage - (rows - 1) * source_stride - row_bytes);
      const uint64_t room = 40 * kPage - (rows - 1) * destination_stride - row_bytes;
      const uint64_t destination = below(random, room);

      auto expected = gather(bench, to);
      const auto input = gather(bench, from);
      for (uint32_t row = 0; row < rows; ++row) {
        std::memcpy(expected.data() + destination + row * destination_stride,
                    input.data() + source + row * source_stride, row_bytes);
      }
      auto command = copy_command(NPU_COMMAND_EXTERNAL_HDMA, NPU_ADDRESS(from, source), NPU_ADDRESS(to, destination),
                                  rows, row_bytes, source_stride, destination_stride);
      command.engine = to_card ? 0 : 1;
      const auto outcome = bench.channel_interface(command.engine).execute({&command, &bench.space, 0, 0});
      ASSERT_EQ(outcome.fault, NPU_FAULT_NONE) << "round " << round;
      ASSERT_EQ(gather(bench, to), expected) << "round " << round;
      ASSERT_EQ(gather(bench, from), input) << "round " << round;
    }
  });
}

TEST(DmaCopy, KeepsHostBurstsInsideOnePage) {
  DmaBench bench(external_hdma());
  bench.space.merges_pages = true;
  bench.space.map(0, NPU_MAP_HOST, 16);
  bench.space.map(1, NPU_MAP_DRAM, 16);
  const auto command = copy_command(NPU_COMMAND_EXTERNAL_HDMA, NPU_ADDRESS(0, 1000), NPU_ADDRESS(1, 3000), 1, 30000);
  EXPECT_TRUE(bench.execute(command).ok());
  uint64_t read = 0;
  bool crosses_in_dram = false;
  for (const auto& access : bench.target.log) {
    const bool crosses = access.address / kPage != (access.address + access.bytes - 1) / kPage;
    EXPECT_LE(access.bytes, kPage);
    EXPECT_EQ(access.origin, base::Origin::Kind::kEngine);
    if (access.write) {
      crosses_in_dram |= crosses;
    } else {
      EXPECT_FALSE(crosses);
      read += access.bytes;
    }
  }
  EXPECT_TRUE(crosses_in_dram);
  EXPECT_EQ(read, 30000U);
}

TEST(DmaCopy, CarriesTheJobsContext) {
  DmaBench bench(task_dma());
  bench.space.map(0, NPU_MAP_DRAM, 1);
  bench.space.map(NPU_SPACE_SHARED, NPU_MAP_SHARED, 1);
  const auto command = copy_command(NPU_COMMAND_TASK_DMA, NPU_ADDRESS(0, 0), NPU_ADDRESS(NPU_SPACE_SHARED, 0), 1, 64);
  EXPECT_TRUE(bench.execute(command, 0, 9).ok());
  ASSERT_EQ(bench.target.log.size(), 2U);
  EXPECT_EQ(bench.target.log[0].context, 9U);
  EXPECT_EQ(bench.target.log[1].context, 9U);
}

TEST(DmaTiming, OneBurstIsStartReadAndWrite) {
  auto parameters = task_dma();
  parameters.start_latency = ns(100);
  DmaBench bench(parameters);
  bench.space.map(0, NPU_MAP_DRAM, 1);
  bench.space.map(NPU_SPACE_SHARED, NPU_MAP_SHARED, 1);
  bench.space.latency = ns(3);
  bench.target.latency = ns(40);
  EXPECT_TRUE(
      bench.execute(copy_command(NPU_COMMAND_TASK_DMA, NPU_ADDRESS(0, 0), NPU_ADDRESS(NPU_SPACE_SHARED, 0), 1, 64))
          .ok());
  EXPECT_EQ(bench.target.log[0].arrival, ns(106));
  EXPECT_EQ(bench.target.log[1].arrival, ns(146));
  EXPECT_EQ(bench.took, ns(186));
}

TEST(DmaTiming, KeepsTheGivenNumberOfBurstsOutstanding) {
  auto parameters = task_dma();
  parameters.outstanding_bursts = 2;
  DmaBench bench(parameters);
  bench.space.map(0, NPU_MAP_DRAM, 5);
  bench.space.map(NPU_SPACE_SHARED, NPU_MAP_SHARED, 5);
  bench.target.latency = ns(500);
  EXPECT_TRUE(bench
                  .execute(copy_command(NPU_COMMAND_TASK_DMA, NPU_ADDRESS(0, 0), NPU_ADDRESS(NPU_SPACE_SHARED, 0), 1,
                                        5 * kPage))
                  .ok());
  std::vector<sc_core::sc_time> reads;
  for (const auto& access : bench.target.log) {
    if (!access.write) reads.push_back(access.arrival);
  }
  EXPECT_EQ(reads, (std::vector{ns(0), ns(0), ns(1000), ns(1000), ns(2000)}));
  EXPECT_EQ(bench.took, ns(3000));
}

/// The target here knows no mark for accesses without contents, as a host does not: it is sent zeros.
TEST(DmaWithoutData, ATransferBeyondTheLimitTakesTheSameTimeAndMovesNothing) {
  auto parameters = task_dma();
  parameters.outstanding_bursts = 2;
  parameters.kept_bytes = kPage;
  DmaBench bench(parameters);
  bench.space.map(0, NPU_MAP_DRAM, 5);
  bench.space.map(NPU_SPACE_SHARED, NPU_MAP_SHARED, 5);
  bench.target.latency = ns(500);
  std::fill(bench.target.data.begin(), bench.target.data.end(), uint8_t{7});
  const auto copied = [&bench](uint32_t bytes) {
    EXPECT_TRUE(
        bench.execute(copy_command(NPU_COMMAND_TASK_DMA, NPU_ADDRESS(0, 0), NPU_ADDRESS(NPU_SPACE_SHARED, 0), 1, bytes))
            .ok());
    std::vector<uint8_t> destination(bytes);
    for (uint32_t i = 0; i < bytes; ++i) destination[i] = bench.target.data[test::card_index(NPU_MAP_SHARED + i)];
    return destination;
  };
  EXPECT_EQ(copied(5 * kPage), std::vector<uint8_t>(5 * kPage, 0));
  EXPECT_EQ(bench.took, ns(3000)) << "as KeepsTheGivenNumberOfBurstsOutstanding";
  EXPECT_EQ(copied(kPage), std::vector<uint8_t>(kPage, 7)) << "a list may be among it";
  EXPECT_EQ(copied(kPage + 1), std::vector<uint8_t>(kPage + 1, 0));
}

TEST(DmaTiming, EachSmallRowIsABurst) {
  auto parameters = task_dma();
  parameters.outstanding_bursts = 4;
  DmaBench bench(parameters);
  bench.space.map(0, NPU_MAP_DRAM, 1);
  bench.space.map(NPU_SPACE_SHARED, NPU_MAP_SHARED, 1);
  bench.target.latency = ns(10);
  EXPECT_TRUE(bench
                  .execute(copy_command(NPU_COMMAND_TASK_DMA, NPU_ADDRESS(0, 0), NPU_ADDRESS(NPU_SPACE_SHARED, 0), 8,
                                        16, 32, 32))
                  .ok());
  EXPECT_EQ(bench.target.log.size(), 16U);
  EXPECT_EQ(bench.took, ns(40));
}

TEST(DmaTiming, AChannelsOwnRateLimitsIt) {
  auto parameters = task_dma();
  parameters.channel_bytes_per_second = 1e9;
  DmaBench bench(parameters);
  bench.space.map(0, NPU_MAP_DRAM, 4);
  bench.space.map(NPU_SPACE_SHARED, NPU_MAP_SHARED, 4);
  EXPECT_TRUE(bench
                  .execute(copy_command(NPU_COMMAND_TASK_DMA, NPU_ADDRESS(0, 0), NPU_ADDRESS(NPU_SPACE_SHARED, 0), 1,
                                        4 * kPage))
                  .ok());
  EXPECT_EQ(bench.took, ns(4 * kPage));
}

/// A DMA engine, DRAM and shared memory on a crossbar, with the default rates except where given.
struct Card {
  explicit Card(double engine_port, double memory_port)
      : noc("noc", environment,
            {.initiators = {{engine_port}},
             .targets = {{memory_port}, {memory_port}},
             .map = {{"dram", NPU_MAP_DRAM, 16ULL << 30, 0}, {"shared", NPU_MAP_SHARED, 32U << 20, 1}},
             .hop_latency = ns(10)}),
        dram("dram", environment, {}),
        shared("shared", environment, {.bytes = 32U << 20}),
        engine("dma", environment, task_dma()) {
    engine.memory.socket.bind(noc.initiators[0]);
    noc.targets[0].bind(dram.memory);
    noc.targets[1].bind(shared.ports[0]);
    hart.port.socket.bind(engine.registers);
  }

  /// Nanoseconds for 1 MiB from DRAM to shared memory.
  double stream() {
    PagedSpace space;
    space.map(0, NPU_MAP_DRAM, 256);
    space.map(NPU_SPACE_SHARED, NPU_MAP_SHARED, 256);
    const auto command =
        copy_command(NPU_COMMAND_TASK_DMA, NPU_ADDRESS(0, 0), NPU_ADDRESS(NPU_SPACE_SHARED, 0), 1, 1U << 20);
    dram.storage().data()[0x54321] = 9;
    sc_core::sc_time took;
    test::run_thread([&] {
      auto* channel = dynamic_cast<base::CommandTarget*>(engine.commands[0].get_interface());
      EXPECT_TRUE(channel->execute({&command, &space, 0, 0}).ok());
      took = sc_core::sc_time_stamp();
    });
    EXPECT_EQ(shared.storage().data()[0x54321], 9);
    return took.to_seconds() * 1e9;
  }

  base::Environment environment;
  noc::Crossbar noc;
  dram::Dram dram;
  memory::Memory shared;
  DmaEngine engine;
  test::TestInitiator hart{"hart"};
};

/// The burst is lent by the memory that it is written to.
TEST(DmaCopy, ABurstThatOverlapsItselfMovesAsAWhole) {
  Card card(64e9, 64e9);
  auto& memory = card.dram.storage();
  std::iota(memory.data(), memory.data() + 2048, uint8_t{0});
  std::vector<uint8_t> expected(memory.data(), memory.data() + 2048);
  test::run_thread([&] {
    card.hart.write(DMA_SOURCE, uint64_t{NPU_MAP_DRAM});
    card.hart.write(DMA_DESTINATION, uint64_t{NPU_MAP_DRAM} + 3);
    card.hart.write(DMA_BYTES, uint32_t{2045});
    card.hart.write(DMA_CONTROL, uint32_t{DMA_CONTROL_START_MASK});
  });
  EXPECT_TRUE(std::equal(expected.begin(), expected.begin() + 2045, memory.data() + 3));
}

TEST(DmaBandwidth, ReachesTheRateOfItsPort) {
  // 1 MiB at 64 GB/s.
  const double floor = 16384.0;
  const double took = Card(64e9, 512e9).stream();
  EXPECT_GE(took, floor);
  EXPECT_LE(took, floor * 1.02);
}

TEST(DmaBandwidth, ReachesTheRateOfTheDram) {
  // 1 MiB at 233.984 GB/s, when the port is wider.
  const double floor = 4481.4;
  const double took = Card(512e9, 512e9).stream();
  EXPECT_GE(took, floor);
  EXPECT_LE(took, floor * 1.05);  // the pipeline's ends weigh more in this short a copy
}

}  // namespace
}  // namespace npuvp::dma
