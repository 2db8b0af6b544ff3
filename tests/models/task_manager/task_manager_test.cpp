// SPDX-License-Identifier: Apache-2.0
// Order, time and accounting of a job; its ends by fault, abort, deadlock and reset.
#include "models/task_manager/task_manager.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <random>

#include "tests/models/task_manager/task_manager_bench.h"

namespace npuvp::task_manager {
namespace {

using test::below;
using test::ns;
using test::run_thread;

constexpr auto kEngine = NPU_COMMAND_NEURAL_ENGINE;
constexpr auto kNeuralDma = NPU_COMMAND_NEURAL_DMA;
constexpr auto kTaskDma = NPU_COMMAND_TASK_DMA;
constexpr auto kHdma = NPU_COMMAND_EXTERNAL_HDMA;

TEST(TaskManager, RunsAChainInTimeAndReportsIt) {
  TaskManagerBench bench;
  run_thread([&] {
    sc_core::wait(ns(1000));
    bench.hart.write(TASK_MANAGER_CONTEXT, uint32_t{5});
    bench.run(
        {command(kHdma, 0, 300, 1), command(kEngine, 1, 200, 2, {{1, 1}}), command(kTaskDma, 0, 50, 3, {{2, 1}})});
    // Stream read 100, then three times dispatch 20 and work.
    EXPECT_EQ(bench.ended, std::vector{ns(1000 + 100 + 320 + 220 + 70)});
    EXPECT_EQ(bench.status(), TASK_MANAGER_STATUS_DONE_MASK);
    EXPECT_EQ(bench.retired(), 3U);
    EXPECT_EQ(bench.hart.read<uint64_t>(TASK_MANAGER_START_NS), 1000U);
    EXPECT_EQ(bench.hart.read<uint64_t>(TASK_MANAGER_END_NS), 1710U);
    EXPECT_EQ(bench.engine.contexts, (std::vector<uint16_t>{5, 5, 5}));
    bench.hart.write(TASK_MANAGER_STATUS, uint32_t{TASK_MANAGER_STATUS_DONE_MASK});
    EXPECT_FALSE(bench.manager.irq.level());
  });
  EXPECT_EQ(bench.manager.time_by_kind()[kHdma].busy, ns(300));
  EXPECT_EQ(bench.manager.time_by_kind()[kEngine].commands, 1U);
  EXPECT_EQ(bench.environment.diagnostics().misuse_count(), 0U);
}

TEST(TaskManager, GivesCommandsTheAddressSpaceOfTheirJob) {
  TaskManagerBench bench;
  run_thread([&] {
    bench.run({command(kTaskDma, 0, 10)});
    bench.hart.write(TASK_MANAGER_STATUS, uint32_t{TASK_MANAGER_STATUS_DONE_MASK});
    bench.hart.write(TASK_MANAGER_ASID, uint32_t{63});
    bench.hart.write(TASK_MANAGER_ASID, uint32_t{64});
    // Beyond the DRAM, which has 4 MiB here, but inside the virtual window; and beyond that.
    bench.put_segments({{NPU_MAP_DRAM + (1ULL << 30), 4096, NPU_SEGMENT_DEVICE, 0, 0}});
    bench.run({command(kTaskDma, 0, 10)});
    EXPECT_EQ(bench.fault(), uint32_t{NPU_FAULT_NONE});
    bench.hart.write(TASK_MANAGER_STATUS, uint32_t{TASK_MANAGER_STATUS_DONE_MASK});
    bench.put_segments({{NPU_MAP_DRAM + (64ULL << 30), 4096, NPU_SEGMENT_DEVICE, 0, 0}});
    bench.run({command(kTaskDma, 0, 10)});
    EXPECT_EQ(bench.fault(), uint32_t{NPU_FAULT_FETCH});
  });
  EXPECT_EQ(bench.engine.asids, (std::vector<uint16_t>{0, 63}));
  EXPECT_EQ(bench.environment.diagnostics().misuse_count(), 1U);
}

TEST(TaskManager, QueuesRunBesideEachOtherAndEachInOrder) {
  TaskManagerBench bench;
  run_thread([&] {
    bench.run({command(kEngine, 0, 100), command(kEngine, 0, 10), command(kEngine, 1, 30), command(kNeuralDma, 1, 40)});
  });
  std::map<uint32_t, Execution> by_index;
  for (const auto& each : bench.engine.log) by_index[each.index] = each;
  EXPECT_EQ(by_index[0].begin, ns(120));
  EXPECT_EQ(by_index[1].begin, ns(240));
  EXPECT_EQ(by_index[2].begin, ns(120));
  EXPECT_EQ(by_index[3].begin, ns(120));
  EXPECT_EQ(bench.ended, std::vector{ns(250)});
}

TEST(TaskManager, FetchesTableAndStreamOneAfterTheOtherInBursts) {
  TaskManagerBench bench;
  run_thread([&] {
    bench.put_segments({{NPU_MAP_DRAM, 4096, NPU_SEGMENT_DEVICE, 0, 0}});
    bench.run(std::vector<npu_command>(40, command(kEngine, 0, 0)));
  });
  ASSERT_EQ(bench.target.log.size(), 3U);  // table, 4096 and 1024 bytes of commands
  EXPECT_EQ(bench.target.log[0].arrival, ns(0));
  EXPECT_EQ(bench.target.log[1].arrival, ns(100));
  EXPECT_EQ(bench.target.log[2].arrival, ns(100));
  EXPECT_EQ(bench.ended, std::vector{ns(200 + 40 * 20)});
}

TEST(TaskManager, AnEmptyJobEndsWhenFetched) {
  TaskManagerBench bench;
  run_thread([&] {
    bench.run({});
    EXPECT_EQ(bench.status(), TASK_MANAGER_STATUS_DONE_MASK);
    EXPECT_EQ(bench.retired(), 0U);
  });
}

TEST(TaskManager, WaitsForCountsOfUpToFourTokens) {
  TaskManagerBench bench;
  run_thread([&] {
    bench.run({command(kEngine, 0, 10, 7), command(kEngine, 0, 10, 7), command(kEngine, 0, 10, 7),
               command(kNeuralDma, 0, 200, 8), command(kNeuralDma, 1, 5, 9),
               command(kTaskDma, 0, 1, 10, {{7, 3}, {8, 1}, {9, 1}, {255, 0}})});
  });
  EXPECT_EQ(bench.engine.log.back().index, 5U);
  EXPECT_EQ(bench.engine.log.back().begin, ns(100 + 220 + 20));
}

/// Random streams whose waits only name counts that earlier commands reach, so that every one can end.
std::vector<npu_command> random_stream(std::mt19937& random, size_t length) {
  const std::array<std::pair<npu_command_kind, unsigned>, 4> kinds{
      {{kEngine, 2}, {kNeuralDma, 2}, {kTaskDma, 1}, {kHdma, 2}}};
  std::array<uint16_t, 8> signalled{};
  std::vector<npu_command> stream;
  for (size_t i = 0; i < length; ++i) {
    const auto [kind, engines] = kinds[below(random, kinds.size())];
    std::vector<npu_token_wait> waits;
    for (size_t w = below(random, 5); w > 0; --w) {
      const auto token = static_cast<uint16_t>(below(random, 8));
      waits.push_back({token, static_cast<uint16_t>(below(random, signalled[token] + 1U))});
    }
    const auto signal = static_cast<uint16_t>(below(random, 10));
    stream.push_back(command(kind, static_cast<uint8_t>(below(random, engines)), below(random, 200),
                             signal < 8 ? signal : static_cast<uint16_t>(NPU_TOKEN_NONE), waits));
    if (signal < 8) ++signalled[signal];
  }
  return stream;
}

/// Time at which `token` reaches `count`, from the recorded ends alone.
sc_core::sc_time reached(const std::vector<npu_command>& stream, const std::vector<Execution>& log,
                         npu_token_wait wait) {
  std::vector<sc_core::sc_time> ends;
  for (const auto& each : log) {
    if (stream[each.index].signal == wait.token) ends.push_back(each.end);
  }
  std::sort(ends.begin(), ends.end());
  if (wait.count == 0) return sc_core::SC_ZERO_TIME;
  return wait.count <= ends.size() ? ends[wait.count - 1U] : sc_core::sc_max_time();
}

TEST(TaskManager, RandomTokenGraphsStartEachCommandAsSoonAsItMayAndNotBefore) {
  TaskManagerBench bench;
  std::mt19937 random(23);
  run_thread([&] {
    for (int round = 0; round < 25; ++round) {
      bench.engine.log.clear();
      const auto stream = random_stream(random, 1 + below(random, 120));
      const auto fetched = sc_core::sc_time_stamp() + ns(100);
      bench.run(stream);
      ASSERT_EQ(bench.status(), TASK_MANAGER_STATUS_DONE_MASK) << "round " << round;
      ASSERT_EQ(bench.engine.log.size(), stream.size());
      std::vector<Execution> by_index(stream.size());
      for (const auto& each : bench.engine.log) by_index[each.index] = each;
      std::map<std::pair<int, int>, sc_core::sc_time> queue_free;
      for (size_t i = 0; i < stream.size(); ++i) {
        auto& free = queue_free[{stream[i].kind, stream[i].engine}];
        auto ready = std::max(fetched, free);
        for (const auto& wait : stream[i].wait) {
          if (wait.token != NPU_TOKEN_NONE) ready = std::max(ready, reached(stream, bench.engine.log, wait));
        }
        ASSERT_EQ(by_index[i].begin, ready + ns(20)) << "round " << round << " command " << i;
        free = by_index[i].end;
      }
    }
  });
}

TEST(TaskManager, FirstFaultStopsDispatchAndLetsRunningCommandsFinish) {
  TaskManagerBench bench;
  bench.engine.failures[0] = {NPU_FAULT_BUS, NPU_ADDRESS(3, 0x77)};
  bench.engine.failures[1] = {NPU_FAULT_POISON, 1};
  run_thread([&] {
    bench.run({command(kEngine, 0, 50, 1), command(kEngine, 1, 500), command(kNeuralDma, 0, 10, 2, {{1, 1}}),
               command(kEngine, 0, 10)});
    EXPECT_EQ(bench.status(), TASK_MANAGER_STATUS_DONE_MASK | TASK_MANAGER_STATUS_ERROR_MASK);
    EXPECT_EQ(bench.fault(), uint32_t{NPU_FAULT_BUS});
    EXPECT_EQ(bench.fault_command(), 0U);
    EXPECT_EQ(bench.fault_address(), NPU_ADDRESS(3, 0x77));
    EXPECT_EQ(bench.retired(), 0U);
  });
  EXPECT_EQ(bench.engine.log.size(), 2U);
  EXPECT_EQ(bench.ended, std::vector{ns(120 + 500)});
}

TEST(TaskManager, DeadlockIsFoundAtOnceAndNamesTheFirstBlockedCommand) {
  TaskManagerBench bench;
  run_thread([&] {
    bench.run({command(kEngine, 0, 50, 1), command(kEngine, 1, 10, 2, {{3, 1}}),
               command(kNeuralDma, 0, 10, 3, {{2, 1}}), command(kTaskDma, 0, 10, 4, {{1, 1}})});
    EXPECT_EQ(bench.fault(), uint32_t{NPU_FAULT_DEADLOCK});
    EXPECT_EQ(bench.fault_command(), 1U);
    EXPECT_EQ(bench.fault_address(), 0U);
    EXPECT_EQ(bench.retired(), 2U);
  });
  EXPECT_EQ(bench.ended, std::vector{ns(120 + 50 + 20 + 10)});
}

TEST(TaskManager, AbortLetsRunningCommandsFinishAndReportsNoFault) {
  TaskManagerBench bench;
  run_thread([&] {
    bench.put({command(kEngine, 0, 300), command(kEngine, 0, 10)});
    bench.start();
    sc_core::wait(ns(200));
    bench.abort();
    EXPECT_EQ(bench.status(), TASK_MANAGER_STATUS_BUSY_MASK);
    bench.wait_until_done();
    EXPECT_EQ(bench.status(), TASK_MANAGER_STATUS_DONE_MASK | TASK_MANAGER_STATUS_ERROR_MASK);
    EXPECT_EQ(bench.fault(), 0U);
    EXPECT_EQ(bench.retired(), 1U);
  });
  EXPECT_EQ(bench.ended, std::vector{ns(120 + 300)});
}

TEST(TaskManager, AbortWhileFetchingEndsTheJobAndTheNextOneRuns) {
  TaskManagerBench bench;
  run_thread([&] {
    bench.put({command(kEngine, 0, 300)});
    bench.start();
    sc_core::wait(ns(50));
    bench.abort();
    EXPECT_EQ(bench.status(), TASK_MANAGER_STATUS_DONE_MASK | TASK_MANAGER_STATUS_ERROR_MASK);
    bench.start();
    bench.wait_until_done();
    EXPECT_EQ(bench.status(), TASK_MANAGER_STATUS_DONE_MASK);
  });
  EXPECT_EQ(bench.ended, (std::vector{ns(50), ns(50 + 100 + 320)}));
}

TEST(TaskManager, AbortWithoutAJobDoesNothing) {
  TaskManagerBench bench;
  run_thread([&] {
    bench.abort();
    EXPECT_EQ(bench.status(), 0U);
  });
}

TEST(TaskManager, ReportsAStartWhileBusy) {
  TaskManagerBench bench;
  run_thread([&] {
    bench.put({command(kEngine, 0, 300)});
    bench.start();
    bench.start();
    EXPECT_EQ(bench.environment.diagnostics().misuse_count(), 1U);
    bench.wait_until_done();
  });
  EXPECT_EQ(bench.engine.log.size(), 1U);
}

TEST(TaskManager, AJobAfterAResetIsUntouchedByTheAbandonedOne) {
  TaskManagerBench bench;
  bench.engine.failures[0] = {NPU_FAULT_BUS, 0};  // of the old job
  run_thread([&] {
    bench.put({command(kEngine, 0, 500, 1), command(kEngine, 0, 500, 1)});
    bench.start();
    sc_core::wait(ns(200));
    bench.manager.reset();
    EXPECT_EQ(bench.status(), 0U);
    EXPECT_EQ(bench.engine.inside, 1);
    // Queue Neural Engine 0 is still inside the engine until 620; Neural DMA is free.
    bench.put({command(kNeuralDma, 0, 50, 1), command(kEngine, 0, 30, 2), command(kTaskDma, 0, 10, 3, {{2, 1}})});
    bench.engine.failures.clear();
    bench.start();
    sc_core::wait(ns(425));  // 625: the old command has failed, of the new job only the Neural DMA has ended
    EXPECT_EQ(bench.status(), TASK_MANAGER_STATUS_BUSY_MASK);
    EXPECT_EQ(bench.retired(), 1U);
    bench.wait_until_done();
    EXPECT_EQ(bench.status(), TASK_MANAGER_STATUS_DONE_MASK);
    EXPECT_EQ(bench.retired(), 3U);
  });
  EXPECT_EQ(bench.ended, std::vector{ns(620 + 20 + 30 + 20 + 10)});
  EXPECT_EQ(bench.manager.time_by_kind()[kEngine].busy, ns(30));
}

TEST(TaskManager, ResetWithoutANextJobStaysQuiet) {
  TaskManagerBench bench;
  run_thread([&] {
    bench.put({command(kEngine, 0, 500, 1), command(kEngine, 0, 500, 1)});
    bench.start();
    sc_core::wait(ns(200));
    bench.manager.reset();
    sc_core::wait(ns(2000));
    EXPECT_EQ(bench.status(), 0U);
    EXPECT_EQ(bench.retired(), 0U);
  });
  EXPECT_EQ(bench.engine.log.size(), 1U);
  EXPECT_TRUE(bench.ended.empty());
}

TEST(TaskManager, ResetWhileFetchingForgetsTheJob) {
  TaskManagerBench bench;
  run_thread([&] {
    bench.put({command(kEngine, 0, 10)});
    bench.start();
    sc_core::wait(ns(30));
    bench.manager.reset();
    bench.put({command(kEngine, 1, 40)});
    bench.start();
    bench.wait_until_done();
  });
  EXPECT_EQ(bench.engine.log.size(), 1U);
  EXPECT_EQ(bench.ended, std::vector{ns(30 + 100 + 20 + 40)});
}

/// Clearing takes 700 ns and is counted.
struct SharedBench : TaskManagerBench {
  SharedBench() {
    manager.on_owner_change([this] {
      ++clearings;
      return ns(700);
    });
  }
  /// In a thread: a job of `function` with one command that works for 10 ns. Returns when it began relative to START.
  sc_core::sc_time begin_of_job(uint32_t function) {
    const auto start = sc_core::sc_time_stamp();
    hart.write(TASK_MANAGER_FUNCTION, function);
    run({command(kEngine, 0, 10)});
    return engine.log.back().begin - start;
  }
  int clearings = 0;
};

TEST(TaskManager, ClearsTheMemoriesOnTheCardWhenTheirOwnerChanges) {
  SharedBench bench;
  run_thread([&] {
    EXPECT_EQ(bench.begin_of_job(0), ns(120));
    EXPECT_EQ(bench.begin_of_job(2), ns(720));  // instead of 100 for the fetch, which goes on beside it
    EXPECT_EQ(bench.begin_of_job(2), ns(120));
    EXPECT_EQ(bench.begin_of_job(0), ns(720));
    bench.manager.reset();  // changes neither contents nor owner
    EXPECT_EQ(bench.begin_of_job(0), ns(120));
    EXPECT_EQ(bench.begin_of_job(1), ns(720));
  });
  EXPECT_EQ(bench.clearings, 3);
  EXPECT_EQ(bench.engine.functions, (std::vector<uint16_t>{0, 2, 2, 0, 0, 1}));
}

TEST(TaskManager, ClearsTheMemoriesWhenToldSo) {
  SharedBench bench;
  run_thread([&] {
    bench.hart.write(TASK_MANAGER_CONTROL, uint32_t{TASK_MANAGER_CONTROL_CLEAR_MEMORIES_MASK});
    EXPECT_EQ(bench.clearings, 0);
    EXPECT_EQ(bench.begin_of_job(0), ns(720));
    EXPECT_EQ(bench.begin_of_job(0), ns(120));
  });
}

TEST(TaskManager, ReportsAFunctionThatCannotBe) {
  TaskManagerBench bench;
  bench.hart.write(TASK_MANAGER_FUNCTION, uint32_t{16});
  EXPECT_EQ(bench.environment.diagnostics().misuse_count(), 0U);
  bench.hart.write(TASK_MANAGER_FUNCTION, uint32_t{17});
  EXPECT_EQ(bench.environment.diagnostics().misuse_count(), 1U);
  EXPECT_EQ(bench.hart.read<uint32_t>(TASK_MANAGER_FUNCTION), 16U);
}

class SpanRecorder final : public base::TraceSink {
 public:
  void track(base::TrackId id, base::TrackId, std::string_view name) override { names[id] = name; }
  void span(base::TrackId track, std::string_view name, sc_core::sc_time begin, sc_core::sc_time end,
            const base::TraceArguments& arguments) override {
    spans.push_back(names[track] + "/" + std::string(name) + " " + begin.to_string() + "-" + end.to_string());
    for (const auto& argument : arguments) {
      spans.back() += " " + std::string(argument.name) + "=" + std::to_string(std::get<uint64_t>(argument.value));
    }
  }
  void instant(base::TrackId, std::string_view, sc_core::sc_time, const base::TraceArguments&) override {}
  std::map<base::TrackId, std::string> names;
  std::vector<std::string> spans;
};

TEST(TaskManager, TracesEachCommandOnItsQueuesTrack) {
  TaskManagerBench bench;
  SpanRecorder recorder;
  bench.environment.trace().add_sink(recorder);
  run_thread([&] {
    auto copy = command(kHdma, 1, 100);
    copy.u.dma.rows = 3;
    copy.u.dma.row_bytes = 64;
    bench.run({copy});
  });
  EXPECT_EQ(recorder.spans, std::vector<std::string>{"External HDMA 1/copy 120 ns-220 ns tag=100 index=0 bytes=192"});
  EXPECT_EQ(bench.manager.time_by_kind()[kHdma].bytes, 192U);
}

}  // namespace
}  // namespace npuvp::task_manager
