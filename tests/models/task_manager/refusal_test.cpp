// SPDX-License-Identifier: Apache-2.0
// Malformed streams, tables and registers: nothing of them may run.
#include <gtest/gtest.h>

#include "tests/models/task_manager/task_manager_bench.h"

namespace npuvp::task_manager {
namespace {

using test::run_thread;

constexpr auto kEngine = NPU_COMMAND_NEURAL_ENGINE;

struct RefusalBench : TaskManagerBench {
  /// Expects that `bad` behind a good command is refused as illegal, with its index.
  void expect_illegal(const npu_command& bad) {
    run({command(kEngine, 0, 10), bad, command(kEngine, 0, 10)});
    EXPECT_EQ(status(), TASK_MANAGER_STATUS_DONE_MASK | TASK_MANAGER_STATUS_ERROR_MASK);
    EXPECT_EQ(fault(), uint32_t{NPU_FAULT_ILLEGAL_COMMAND});
    EXPECT_EQ(fault_command(), 1U);
    EXPECT_EQ(retired(), 0U);
    EXPECT_TRUE(engine.log.empty());
  }

  void expect_fetch_fault(uint64_t address) {
    start();
    wait_until_done();
    EXPECT_EQ(status(), TASK_MANAGER_STATUS_DONE_MASK | TASK_MANAGER_STATUS_ERROR_MASK);
    EXPECT_EQ(fault(), uint32_t{NPU_FAULT_FETCH});
    EXPECT_EQ(fault_address(), address);
    EXPECT_TRUE(engine.log.empty());
  }
};

TEST(TaskManagerRefusal, KindsAndEnginesThatTheCardLacks) {
  RefusalBench bench;
  run_thread([&] {
    // A CONTROL command with the bench's opcode 1 is a loop without a count.
    for (const unsigned kind : {0U, 7U, 8U, 255U}) {
      auto bad = command(kEngine, 0, 1);
      bad.kind = static_cast<uint8_t>(kind);
      bench.expect_illegal(bad);
    }
    bench.expect_illegal(command(kEngine, 2, 1));
    bench.expect_illegal(command(NPU_COMMAND_NEURAL_DMA, 2, 1));
    bench.expect_illegal(command(NPU_COMMAND_TASK_DMA, 1, 1));
    bench.expect_illegal(command(NPU_COMMAND_EXTERNAL_HDMA, 2, 1));
    bench.expect_illegal(command(NPU_COMMAND_DEVICE_HDMA, 2, 1));
    bench.expect_illegal(command(NPU_COMMAND_DEVICE_SYNC, NPU_SYNC_CHANNELS, 1));
    bench.expect_illegal(command(NPU_COMMAND_CONTROL, 1, 1));
  });
}

TEST(TaskManagerRefusal, FlagsReservedFieldsAndTokens) {
  RefusalBench bench;
  run_thread([&] {
    auto bad = command(kEngine, 0, 1);
    bad.flags = 1;
    bench.expect_illegal(bad);
    for (int i = 0; i < 3; ++i) {
      bad = command(kEngine, 0, 1);
      bad.reserved[i] = 1;
      bench.expect_illegal(bad);
    }
    bench.expect_illegal(command(kEngine, 0, 1, NPU_TOKENS));
    bench.expect_illegal(command(kEngine, 0, 1, NPU_TOKEN_NONE - 1));
    for (size_t i = 0; i < NPU_TOKEN_WAITS; ++i) {
      bad = command(kEngine, 0, 1);
      bad.wait[i] = {NPU_TOKENS, 1};
      bench.expect_illegal(bad);
    }
  });
}

TEST(TaskManagerRefusal, CommandRegistersOutOfRules) {
  RefusalBench bench;
  run_thread([&] {
    const auto set = [&](uint64_t address, uint32_t bytes) {
      bench.hart.write(TASK_MANAGER_COMMANDS, address);
      bench.hart.write(TASK_MANAGER_COMMAND_BYTES, bytes);
      bench.expect_fetch_fault(address);
    };
    set(kCommands + 64, 128);
    set(kCommands, 64);
    set(kCommands, NPU_MAX_COMMAND_BYTES + 128);
    set(NPU_MAP_HOST, 128);
    set(~0ULL - 127, 256);
    set(NPU_MAP_DRAM + test::kCardRegionBytes - 128, 256);
  });
}

TEST(TaskManagerRefusal, UnreadableOrPoisonedStream) {
  RefusalBench bench;
  run_thread([&] {
    bench.put(std::vector<npu_command>(64, command(kEngine, 0, 1)));
    bench.target.failing = kCommands + 5000;
    bench.expect_fetch_fault(kCommands);
    bench.target.failing.reset();
    bench.target.poisoned = kCommands;
    bench.expect_fetch_fault(kCommands);
  });
}

TEST(TaskManagerRefusal, SegmentTablesOutOfRules) {
  RefusalBench bench;
  run_thread([&] {
    bench.put({command(kEngine, 0, 1)});
    const npu_segment good{NPU_MAP_DRAM, 4096, NPU_SEGMENT_DEVICE, 0, 0};
    const auto refuse = [&](const npu_segment& bad) {
      bench.put_segments({good, bad});
      bench.expect_fetch_fault(kSegments + sizeof(npu_segment));
    };
    refuse({NPU_MAP_DRAM, 4096, 0, 0, 0});
    refuse({NPU_MAP_DRAM, 4096, 3, 0, 0});
    refuse({NPU_MAP_DRAM, 4096, NPU_SEGMENT_DEVICE, 2, 0});
    refuse({NPU_MAP_DRAM, 4096, NPU_SEGMENT_DEVICE, 0, 1});
    refuse({0x100000, 4096, NPU_SEGMENT_DEVICE, 0, 0});
    refuse({NPU_MAP_HOST, 4096, NPU_SEGMENT_DEVICE, 0, 0});
    refuse({NPU_MAP_DRAM + test::kCardRegionBytes - 4096, 4097, NPU_SEGMENT_DEVICE, 0, 0});
    refuse({NPU_MAP_DRAM, ~0ULL, NPU_SEGMENT_DEVICE, 0, 0});
    refuse({4, 4096, NPU_SEGMENT_HOST_PAGES, 0, 0});
    refuse({1ULL << 52, 4096, NPU_SEGMENT_HOST_PAGES, 0, 0});
    refuse({(1ULL << 52) - 8, 4097, NPU_SEGMENT_HOST_PAGES, 0, 0});
    bench.hart.write(TASK_MANAGER_SEGMENT_COUNT, uint32_t{17});
    bench.expect_fetch_fault(kSegments);
    bench.put_segments({good});
    bench.hart.write(TASK_MANAGER_SEGMENTS, uint64_t{NPU_MAP_HOST});
    bench.expect_fetch_fault(NPU_MAP_HOST);
  });
}

TEST(TaskManagerRefusal, RandomBytesNeverHangOrCrash) {
  TaskManagerBench bench;
  uint64_t state = 1;
  const auto random = [&state] { return state = state * 6364136223846793005ULL + 1442695040888963407ULL; };
  run_thread([&] {
    for (int round = 0; round < 200; ++round) {
      std::vector<npu_command> commands(1 + (random() >> 33) % 20);
      for (auto& each : commands) {
        each = command(kEngine, 0, 5);
        for (int flips = 0; flips < 3; ++flips) {
          const auto at = (random() >> 33) % 32;
          reinterpret_cast<uint8_t*>(&each)[at] = static_cast<uint8_t>(random() >> 40);
        }
        each.tag %= 1000;
      }
      bench.put(commands);
      bench.start();
      sc_core::wait(test::ns(1000000));
      ASSERT_EQ(bench.status() & TASK_MANAGER_STATUS_DONE_MASK, TASK_MANAGER_STATUS_DONE_MASK) << "round " << round;
    }
  });
}

}  // namespace
}  // namespace npuvp::task_manager
