// SPDX-License-Identifier: Apache-2.0
#include "models/task_manager/segment_table.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/models/base/test_bus.h"

namespace npuvp::task_manager {
namespace {

using test::ns;

/// A list of 1025 pages at bus address 0x1808 (in the middle of a page), page i at (i * 7 % 1024 + 1) * 4 KiB; the last
/// byte of the segment is in page 1024.
struct TableBench {
  static constexpr uint64_t kList = 0x1808;
  static constexpr uint64_t kPages = 1025;
  static constexpr uint64_t kBytes = kPages * 4096 - 100;

  TableBench() {
    target.index_of = test::card_index;
    target.latency = ns(100);
    port.port.socket.bind(target.socket);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    for (uint64_t i = 0; i < kPages; ++i) set_page(i, page(i));
    EXPECT_EQ(table.load(
                  std::vector<npu_segment>{{NPU_MAP_DRAM + 0x100, 0x1000, NPU_SEGMENT_DEVICE, 0, 0},
                                           {NPU_MAP_DRAM + 0x5000, 0x1000, NPU_SEGMENT_DEVICE, NPU_SEGMENT_WRITABLE, 0},
                                           {kList, kBytes, NPU_SEGMENT_HOST_PAGES, NPU_SEGMENT_WRITABLE, 0}}),
              3U);
  }

  static uint64_t page(uint64_t index) { return (index * 7 % 1024 + 1) * 4096; }
  void set_page(uint64_t index, uint64_t bus_address) { target.put(NPU_MAP_HOST + kList + index * 8, bus_address); }

  base::AddressSpace::Range translate(uint64_t address, uint64_t bytes, bool write = false, uint16_t engine = 0) {
    delay = sc_core::SC_ZERO_TIME;
    return table.translate(address, bytes, write, engine, delay);
  }

  test::TestTarget target{"target", test::kCardBytes};
  test::TestInitiator port{"port"};
  SegmentTable table{{.neural_engines = 2, .scratchpad_bytes = 1 << 20, .shared_bytes = 1 << 20, .dram_bytes = 1 << 22},
                     port.port,
                     6,
                     9};
  sc_core::sc_time delay;
};

TEST(SegmentTable, TranslatesDeviceSegmentsAtOnce) {
  TableBench bench;
  const auto range = bench.translate(NPU_ADDRESS(0, 0x10), 0xff0);
  EXPECT_EQ(range.fault, NPU_FAULT_NONE);
  EXPECT_EQ(range.physical, NPU_MAP_DRAM + 0x110);
  EXPECT_EQ(range.bytes, 0xff0U);
  EXPECT_EQ(bench.delay, ns(0));
}

TEST(SegmentTable, ChecksBoundsWithoutOverflow) {
  TableBench bench;
  EXPECT_EQ(bench.translate(NPU_ADDRESS(0, 0xfff), 1).fault, NPU_FAULT_NONE);
  EXPECT_EQ(bench.translate(NPU_ADDRESS(0, 0xfff), 2).fault, NPU_FAULT_ADDRESS);
  EXPECT_EQ(bench.translate(NPU_ADDRESS(0, 0x1001), 1).fault, NPU_FAULT_ADDRESS);
  EXPECT_EQ(bench.translate(NPU_ADDRESS(0, 1), ~0ULL).fault, NPU_FAULT_ADDRESS);
  EXPECT_EQ(bench.translate(NPU_ADDRESS(3, 0), 1).fault, NPU_FAULT_ADDRESS);
  EXPECT_EQ(bench.translate(NPU_ADDRESS(0x7f, 0), 1).fault, NPU_FAULT_ADDRESS);
  EXPECT_EQ(bench.translate(NPU_ADDRESS(2, TableBench::kBytes - 1), 1).fault, NPU_FAULT_NONE);
  EXPECT_EQ(bench.translate(NPU_ADDRESS(2, TableBench::kBytes), 1).fault, NPU_FAULT_ADDRESS);
}

TEST(SegmentTable, ChecksThePermission) {
  TableBench bench;
  EXPECT_EQ(bench.translate(NPU_ADDRESS(0, 0), 1, true).fault, NPU_FAULT_PERMISSION);
  EXPECT_EQ(bench.translate(NPU_ADDRESS(1, 0), 1, true).fault, NPU_FAULT_NONE);
  EXPECT_EQ(bench.translate(NPU_ADDRESS(2, 0), 1, true).fault, NPU_FAULT_NONE);
}

TEST(SegmentTable, ScratchpadsAndSharedMemoryHaveLimits) {
  TableBench bench;
  const auto scratchpad = NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, 0);
  const auto shared = NPU_ADDRESS(NPU_SPACE_SHARED, 0);
  EXPECT_EQ(bench.translate(scratchpad + 4, 8, true, 1).physical, NPU_MAP_SCRATCHPAD + NPU_MAP_SCRATCHPAD_STRIDE + 4);
  EXPECT_EQ(bench.translate(scratchpad, (1 << 20) + 1).fault, NPU_FAULT_ADDRESS);
  EXPECT_EQ(bench.translate(scratchpad, 1, false, 2).fault, NPU_FAULT_ADDRESS);
  EXPECT_EQ(bench.translate(shared + 16, (1 << 20) - 16).physical, NPU_MAP_SHARED + 16);
  EXPECT_EQ(bench.translate(shared + 16, (1 << 20) - 15).fault, NPU_FAULT_ADDRESS);
}

TEST(SegmentTable, EveryPageGoesWhereTheListSays) {
  TableBench bench;
  std::mt19937 random(5);
  for (int round = 0; round < 3000; ++round) {
    const uint64_t offset = random() % TableBench::kBytes;
    const uint64_t bytes = 1 + random() % (TableBench::kBytes - offset);
    const auto range = bench.translate(NPU_ADDRESS(2, offset), bytes);
    ASSERT_EQ(range.fault, NPU_FAULT_NONE);
    ASSERT_EQ(range.physical, NPU_MAP_HOST | (TableBench::page(offset / 4096) + offset % 4096)) << offset;
    ASSERT_EQ(range.bytes,
              std::min(bytes, 4096 - offset % 4096));  // step 7: neighbours are never adjacent but at wraps
  }
}

TEST(SegmentTable, FetchesABlockOfTheListOnceInsideAPage) {
  TableBench bench;
  static_cast<void>(bench.translate(NPU_ADDRESS(2, 0), 1));
  EXPECT_EQ(bench.delay, ns(100));
  static_cast<void>(bench.translate(NPU_ADDRESS(2, 254 * 4096), 1));
  EXPECT_EQ(bench.delay, ns(0));
  // Entry 255 is the first of the next page of the list.
  static_cast<void>(bench.translate(NPU_ADDRESS(2, 255 * 4096), 1));
  EXPECT_EQ(bench.delay, ns(100));
  ASSERT_EQ(bench.target.log.size(), 2U);
  EXPECT_EQ(bench.target.log[0].address, NPU_MAP_HOST + 0x1808);
  EXPECT_EQ(bench.target.log[0].bytes, 255 * 8U);
  EXPECT_EQ(bench.target.log[1].address, NPU_MAP_HOST + 0x2000);
  EXPECT_EQ(bench.target.log[1].bytes, 4096U);
  EXPECT_EQ(bench.target.log[0].context, 6U);
  EXPECT_EQ(bench.target.log[0].function, 9U);
}

TEST(SegmentTable, MergesAdjacentPages) {
  TableBench bench;
  for (uint64_t i = 0; i < 4; ++i) bench.set_page(i, (100 + i) * 4096);
  bench.set_page(4, 50 * 4096);
  auto range = bench.translate(NPU_ADDRESS(2, 10), 100000);
  EXPECT_EQ(range.physical, NPU_MAP_HOST + 100 * 4096 + 10);
  EXPECT_EQ(range.bytes, 4 * 4096U - 10);
  range = bench.translate(NPU_ADDRESS(2, 10), 5000);
  EXPECT_EQ(range.bytes, 5000U);
}

TEST(SegmentTable, DoesNotTrustTheListsEntries) {
  TableBench bench;
  bench.set_page(0, 4096 + 8);
  bench.set_page(1, (1ULL << 52) + 4096);
  bench.set_page(2, 4096);
  bench.set_page(3, 8192 + 1);
  EXPECT_EQ(bench.translate(NPU_ADDRESS(2, 0), 1).fault, NPU_FAULT_ADDRESS);
  EXPECT_EQ(bench.translate(NPU_ADDRESS(2, 4096), 1).fault, NPU_FAULT_ADDRESS);
  EXPECT_EQ(bench.translate(NPU_ADDRESS(2, 8192), 8192).bytes, 4096U);
}

TEST(SegmentTable, ReportsAnUnreadableListAndTriesAgain) {
  TableBench bench;
  bench.target.failing = NPU_MAP_HOST + TableBench::kList;
  EXPECT_EQ(bench.translate(NPU_ADDRESS(2, 0), 1).fault, NPU_FAULT_BUS);
  bench.target.failing.reset();
  bench.target.poisoned = NPU_MAP_HOST + TableBench::kList;
  EXPECT_EQ(bench.translate(NPU_ADDRESS(2, 0), 1).fault, NPU_FAULT_POISON);
  bench.target.poisoned.reset();
  EXPECT_EQ(bench.translate(NPU_ADDRESS(2, 0), 1).fault, NPU_FAULT_NONE);
}

}  // namespace
}  // namespace npuvp::task_manager
