// SPDX-License-Identifier: Apache-2.0
#include "models/cp_dma/cp_dma.h"

#include <gtest/gtest.h>

#include "npu/registers/cp_dma.h"
#include "tests/models/base/test_bus.h"

namespace npuvp::cp_dma {
namespace {

using sc_core::SC_NS;
using sc_core::sc_start;
using sc_core::sc_time;
using sc_core::SC_US;

class CpDmaTest : public testing::Test {
 protected:
  CpDmaTest() {
    environment.set_log_level("all", spdlog::level::off);
    hart.port.socket.bind(dma.registers);
    dma.memory.socket.bind(memory.socket);
    for (size_t i = 0; i < memory.data.size(); ++i) memory.data[i] = static_cast<uint8_t>(i * 7 + i / 256);
    sc_start(sc_core::SC_ZERO_TIME);
  }
  struct Work {
    uint64_t source;
    uint64_t destination;
    uint64_t bytes;
    uint32_t flags = 0;
    uint64_t next = 0;
  };
  static npu_cp_dma_descriptor descriptor_of(const Work& work) {
    npu_cp_dma_descriptor descriptor{};
    descriptor.source = work.source;
    descriptor.destination = work.destination;
    descriptor.bytes = work.bytes;
    descriptor.flags = work.flags;
    descriptor.next = work.next;
    return descriptor;
  }
  void put(uint64_t address, const Work& work) { memory.put(address, descriptor_of(work)); }
  void start(uint64_t descriptor) {
    hart.write(CP_DMA_DESCRIPTOR, descriptor);
    hart.write(CP_DMA_IRQ_ENABLE, uint32_t{CP_DMA_IRQ_ENABLE_DONE_MASK});
    hart.write(CP_DMA_CONTROL, uint32_t{CP_DMA_CONTROL_START_MASK});
  }
  uint32_t status() { return hart.read<uint32_t>(CP_DMA_STATUS); }
  uint32_t error() { return (status() & CP_DMA_STATUS_ERROR_CODE_MASK) >> CP_DMA_STATUS_ERROR_CODE_SHIFT; }
  uint32_t run_to_error(uint64_t descriptor) {
    start(descriptor);
    sc_start(10, SC_US);
    EXPECT_EQ(status() & CP_DMA_STATUS_BUSY_MASK, 0U);
    EXPECT_EQ((status() & CP_DMA_STATUS_ERROR_MASK) != 0, error() != 0);
    return error();
  }
  std::vector<uint8_t> range(uint64_t address, uint64_t bytes) {
    const auto begin = memory.data.begin() + static_cast<ptrdiff_t>(address);
    return {begin, begin + static_cast<ptrdiff_t>(bytes)};
  }

  base::Environment environment;
  CpDma dma{
      "dma", environment, {.burst_bytes = 256, .outstanding_bursts = 2, .descriptor_latency = sc_time(50, SC_NS)}};
  test::TestTarget memory{"memory", 65536};
  test::TestInitiator hart{"hart"};
};

TEST_F(CpDmaTest, FollowsTheListInOrder) {
  put(0x100, {.source = 0x1001, .destination = 0x8003, .bytes = 1000, .next = 0x40});
  put(0x40, {.source = 0x8003, .destination = 0x9000, .bytes = 10});  // what the first one wrote
  const auto first = range(0x1001, 1000);
  start(0x100);
  EXPECT_TRUE(status() & CP_DMA_STATUS_BUSY_MASK);
  sc_start(10, SC_US);
  EXPECT_EQ(range(0x8003, 1000), first);
  EXPECT_EQ(range(0x9000, 10), range(0x1001, 10));
  EXPECT_EQ(status(), uint32_t{CP_DMA_STATUS_DONE_MASK});
  EXPECT_TRUE(dma.interrupt.level());
  EXPECT_EQ(hart.read<uint32_t>(CP_DMA_DESCRIPTORS), 2U);
  EXPECT_EQ(hart.read<uint64_t>(CP_DMA_BYTES), 1010U);
  EXPECT_EQ(hart.read<uint64_t>(CP_DMA_CURRENT), 0x40U);
  hart.write(CP_DMA_STATUS, uint32_t{CP_DMA_STATUS_DONE_MASK});
  EXPECT_FALSE(dma.interrupt.level());
}

TEST_F(CpDmaTest, FillsWithThePattern) {
  put(0, {.source = 0x1122334455667788, .destination = 0x4000, .bytes = 520, .flags = NPU_CP_DMA_FILL});
  start(0);
  sc_start(10, SC_US);
  for (uint64_t i = 0; i < 520; i += 8) {
    EXPECT_EQ(range(0x4000 + i, 8), (std::vector<uint8_t>{0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11}));
  }
  EXPECT_EQ(range(0x4000 + 520, 8), ([] {
              std::vector<uint8_t> before(8);
              for (size_t i = 0; i < 8; ++i) before[i] = static_cast<uint8_t>((0x4208 + i) * 7 + (0x4208 + i) / 256);
              return before;
            })());
}

TEST_F(CpDmaTest, TimeIsLatenciesOfListAndBursts) {
  memory.latency = sc_time(100, SC_NS);
  put(0, {.source = 0x1000, .destination = 0x2000, .bytes = 1024});
  start(0);
  // Descriptor 100 + 50, four bursts of 100 + 100, two at a time: 400.
  sc_start(549, SC_NS);
  EXPECT_TRUE(status() & CP_DMA_STATUS_BUSY_MASK);
  sc_start(1, SC_NS);
  sc_start(sc_core::SC_ZERO_TIME);
  EXPECT_FALSE(status() & CP_DMA_STATUS_BUSY_MASK);
}

TEST_F(CpDmaTest, MarksAreSeenWhileTheListGoesOn) {
  memory.latency = sc_time(100, SC_NS);
  put(0, {.source = 0x1000, .destination = 0x2000, .bytes = 8, .flags = NPU_CP_DMA_INTERRUPT, .next = 0x40});
  put(0x40, {.source = 0x1000, .destination = 0x3000, .bytes = 8});
  hart.write(CP_DMA_DESCRIPTOR, uint64_t{0});
  hart.write(CP_DMA_IRQ_ENABLE, uint32_t{CP_DMA_IRQ_ENABLE_MARK_MASK});
  hart.write(CP_DMA_CONTROL, uint32_t{CP_DMA_CONTROL_START_MASK});
  sc_start(400, SC_NS);
  EXPECT_TRUE(dma.interrupt.level());
  EXPECT_TRUE(status() & CP_DMA_STATUS_BUSY_MASK);
  sc_start(10, SC_US);
  EXPECT_EQ(status(), uint32_t{CP_DMA_STATUS_DONE_MASK | CP_DMA_STATUS_MARK_MASK});
}

TEST_F(CpDmaTest, RefusesMalformedDescriptors) {
  const auto good = descriptor_of({.source = 0x1000, .destination = 0x2000, .bytes = 8});
  auto bad = good;
  bad.bytes = 0;
  memory.put(0x000, bad);
  bad.bytes = (uint64_t{1} << 32) + 1;
  memory.put(0x040, bad);
  bad = good;
  bad.flags = 4;
  memory.put(0x080, bad);
  bad = good;
  bad.reserved[2] = 1;
  memory.put(0x0c0, bad);
  bad = good;
  bad.flags = NPU_CP_DMA_FILL;
  bad.bytes = 12;
  memory.put(0x100, bad);
  const auto before = range(0x2000, 64);
  for (const uint64_t address : {0x000U, 0x040U, 0x080U, 0x0c0U, 0x100U}) {
    EXPECT_EQ(run_to_error(address), CP_DMA_STATUS_ERROR_CODE_DESCRIPTOR) << address;
    EXPECT_EQ(hart.read<uint64_t>(CP_DMA_ERROR_ADDRESS), address);
  }
  EXPECT_EQ(run_to_error(0x20), CP_DMA_STATUS_ERROR_CODE_DESCRIPTOR) << "not aligned";
  EXPECT_EQ(run_to_error(NPU_MAP_HOST), CP_DMA_STATUS_ERROR_CODE_DESCRIPTOR) << "in host memory";
  EXPECT_EQ(run_to_error(0x100000), CP_DMA_STATUS_ERROR_CODE_DESCRIPTOR) << "nothing there";
  EXPECT_EQ(range(0x2000, 64), before);
}

TEST_F(CpDmaTest, RefusesToReachTheHostOrToWrap) {
  put(0x000, {.source = NPU_MAP_HOST | 0x1000, .destination = 0x2000, .bytes = 8});
  put(0x040, {.source = 0x1000, .destination = NPU_MAP_HOST - 4, .bytes = 8});
  put(0x080, {.source = ~uint64_t{0} - 3, .destination = 0x2000, .bytes = 8});
  for (const uint64_t address : {0x000U, 0x040U, 0x080U}) {
    EXPECT_EQ(run_to_error(address), CP_DMA_STATUS_ERROR_CODE_ADDRESS) << address;
  }
}

TEST_F(CpDmaTest, EndsAtABusErrorOrPoison) {
  put(0x000, {.source = 0x1000, .destination = 0x2000, .bytes = 1024, .next = 0x40});
  put(0x040, {.source = 0x1000, .destination = 0x3000, .bytes = 8});
  memory.failing = 0x2300;
  EXPECT_EQ(run_to_error(0), CP_DMA_STATUS_ERROR_CODE_BUS);
  EXPECT_EQ(hart.read<uint64_t>(CP_DMA_ERROR_ADDRESS), 0x2300U);
  EXPECT_EQ(hart.read<uint32_t>(CP_DMA_DESCRIPTORS), 0U);
  memory.failing.reset();
  memory.poisoned = 0x1100;
  EXPECT_EQ(run_to_error(0), CP_DMA_STATUS_ERROR_CODE_POISON);
  EXPECT_EQ(hart.read<uint64_t>(CP_DMA_ERROR_ADDRESS), 0x1100U);
  memory.poisoned.reset();
  EXPECT_EQ(run_to_error(0), CP_DMA_STATUS_ERROR_CODE_NONE) << "and works again";
}

TEST_F(CpDmaTest, AnEndlessListStopsOnAbort) {
  memory.latency = sc_time(10, SC_NS);
  put(0, {.source = 0x1000, .destination = 0x2000, .bytes = 8, .next = 0x40});
  put(0x40, {.source = 0x1000, .destination = 0x2000, .bytes = 8, .next = 0x40});
  start(0);
  sc_start(50, SC_US);
  EXPECT_TRUE(status() & CP_DMA_STATUS_BUSY_MASK);
  hart.write(CP_DMA_CONTROL, uint32_t{CP_DMA_CONTROL_ABORT_MASK});
  sc_start(1, SC_US);
  EXPECT_FALSE(status() & CP_DMA_STATUS_BUSY_MASK);
  EXPECT_EQ(error(), CP_DMA_STATUS_ERROR_CODE_ABORTED);
  EXPECT_FALSE(sc_core::sc_pending_activity());
}

TEST_F(CpDmaTest, StartWhileBusyIsReportedAndIgnored) {
  memory.latency = sc_time(100, SC_NS);
  put(0x40, {.source = 0x1000, .destination = 0x2000, .bytes = 4096});
  start(0x40);
  sc_start(200, SC_NS);
  start(0x80);
  EXPECT_EQ(environment.diagnostics().misuse_count(), 2U) << "DESCRIPTOR and CONTROL";
  sc_start(20, SC_US);
  EXPECT_EQ(error(), 0U);
  EXPECT_EQ(range(0x2000, 4096), range(0x1000, 4096));
}

TEST_F(CpDmaTest, ResetAbandonsAndTheNextListStarts) {
  memory.latency = sc_time(100, SC_NS);
  put(0x40, {.source = 0x1000, .destination = 0x2000, .bytes = 4096});
  start(0x40);
  sc_start(400, SC_NS);
  dma.reset();
  sc_start(20, SC_US);
  EXPECT_EQ(status(), 0U);
  start(0x40);
  sc_start(20, SC_US);
  EXPECT_EQ(status(), uint32_t{CP_DMA_STATUS_DONE_MASK});
}

}  // namespace
}  // namespace npuvp::cp_dma
