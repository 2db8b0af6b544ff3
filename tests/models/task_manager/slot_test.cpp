// SPDX-License-Identifier: Apache-2.0
// Several jobs at once: parts of the chip, priorities, aborts; failed commands and what depends on them; random graphs.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "tests/models/task_manager/task_manager_bench.h"

namespace npuvp::task_manager {
namespace {

using test::below;
using test::ns;
using test::run_thread;

constexpr auto kEngine = NPU_COMMAND_NEURAL_ENGINE;
constexpr auto kNeuralDma = NPU_COMMAND_NEURAL_DMA;
constexpr auto kTaskDma = NPU_COMMAND_TASK_DMA;
constexpr uint32_t kDone = TASK_MANAGER_STATUS_DONE_MASK;
constexpr uint32_t kDoneWithError = TASK_MANAGER_STATUS_DONE_MASK | TASK_MANAGER_STATUS_ERROR_MASK;

/// What a job asks for.
struct Request {
  uint32_t engines = 0xffffffff;
  uint32_t priority = 0;
  uint32_t shared_base = 0;
  uint32_t shared_bytes = 0;
  uint32_t context = 0;
  uint32_t group = 0;
  uint32_t options = 0;
};

/// One engine and half of the shared memory.
Request half(unsigned number, uint32_t priority = 0) {
  constexpr uint32_t kHalf = 2 << 20;
  return {.engines = 1U << number,
          .priority = priority,
          .shared_base = number * kHalf,
          .shared_bytes = kHalf,
          .context = number};
}

struct SlotBench : TaskManagerBench {
  static uint64_t at(unsigned slot, uint64_t offset) { return slot * TaskManager::kSlotStride + offset; }
  void start_slot(unsigned slot, const Request& request, const std::vector<npu_command>& commands) {
    const uint64_t stream = kCommands + slot * 0x40000ULL;
    for (size_t i = 0; i < commands.size(); ++i) target.put(stream + i * sizeof(npu_command), commands[i]);
    hart.write(at(slot, TASK_MANAGER_COMMANDS), stream);
    hart.write(at(slot, TASK_MANAGER_COMMAND_BYTES), static_cast<uint32_t>(commands.size() * sizeof(npu_command)));
    hart.write(at(slot, TASK_MANAGER_ENGINES), request.engines);
    hart.write(at(slot, TASK_MANAGER_PRIORITY), request.priority);
    hart.write(at(slot, TASK_MANAGER_SHARED_BASE), request.shared_base);
    hart.write(at(slot, TASK_MANAGER_SHARED_BYTES), request.shared_bytes);
    hart.write(at(slot, TASK_MANAGER_CONTEXT), request.context);
    hart.write(at(slot, TASK_MANAGER_GROUP), request.group);
    hart.write(at(slot, TASK_MANAGER_OPTIONS), request.options);
    hart.write(at(slot, TASK_MANAGER_CONTROL), uint32_t{TASK_MANAGER_CONTROL_START_MASK});
  }
  uint32_t word(unsigned slot, uint64_t offset) { return hart.read<uint32_t>(at(slot, offset)); }
  uint32_t slot_status(unsigned slot) { return word(slot, TASK_MANAGER_STATUS); }
  uint64_t end_ns(unsigned slot) { return hart.read<uint64_t>(at(slot, TASK_MANAGER_END_NS)); }
  void wait_for(unsigned slot) {
    while ((slot_status(slot) & kDone) == 0) sc_core::wait(ns(1));
  }
};

TEST(TaskManagerSlots, JobsOnDifferentEnginesRunBesideEachOther) {
  SlotBench bench;
  run_thread([&] {
    bench.start_slot(0, half(0), {command(kEngine, 0, 300)});
    bench.start_slot(3, half(1), {command(kEngine, 0, 200), command(kNeuralDma, 0, 50)});
    bench.wait_for(3);
    EXPECT_EQ(bench.word(0, TASK_MANAGER_DONE_SLOTS), 8U);
    bench.wait_for(0);
    EXPECT_EQ(bench.word(2, TASK_MANAGER_DONE_SLOTS), 9U);
    EXPECT_EQ(bench.end_ns(0), 420U);
    EXPECT_EQ(bench.end_ns(3), 320U);
    EXPECT_EQ(bench.slot_status(1), 0U);
    bench.hart.write(SlotBench::at(3, TASK_MANAGER_STATUS), kDone);
    EXPECT_TRUE(bench.manager.irq.level());
    bench.hart.write(TASK_MANAGER_STATUS, kDone);
    EXPECT_FALSE(bench.manager.irq.level());
  });
  // The job counts its engines from 0: the second one's is engine 1 of the card.
  for (const auto& each : bench.engine.log) EXPECT_EQ(each.command.engine, each.context);
}

TEST(TaskManagerSlots, AnEnginesSecondQueueIsTheSameEngines) {
  constexpr uint8_t kVector = NPU_ENGINE_VECTOR_QUEUE;
  SlotBench bench;
  run_thread([&] {
    bench.start_slot(0, half(1), {command(kEngine, 0, 300), command(kEngine, kVector, 300)});
    bench.wait_for(0);
    EXPECT_EQ(bench.end_ns(0), 420U);  // side by side
    for (const auto kind : {kEngine, kNeuralDma}) {
      // The job has one engine, and the DMA channels have one queue.
      bench.start_slot(1, half(1), {command(kind, kind == kEngine ? kVector + 1 : kVector, 10)});
      bench.wait_for(1);
      EXPECT_EQ(bench.word(1, TASK_MANAGER_FAULT_CODE), uint32_t{NPU_FAULT_ILLEGAL_COMMAND});
    }
  });
  ASSERT_EQ(bench.engine.log.size(), 2U);
  EXPECT_EQ(bench.engine.log[0].command.engine, 1);
  EXPECT_EQ(bench.engine.log[1].command.engine, 1 | kVector);
}

TEST(TaskManagerSlots, AJobThatNeedsTheSameMemoryIsStagedAndRunsAfterwards) {
  SlotBench bench;
  run_thread([&] {
    bench.start_slot(0, {}, {command(kEngine, 0, 300)});
    bench.start_slot(1, {}, {command(kEngine, 1, 100)});
    bench.wait_for(1);
    EXPECT_EQ(bench.end_ns(0), 420U);
    EXPECT_EQ(bench.end_ns(1), 420U + 20 + 100);  // without another fetch
  });
}

TEST(TaskManagerSlots, AGroupSharesItsMemory) {
  SlotBench bench;
  run_thread([&] {
    bench.start_slot(0, {.context = 4, .group = 9}, {command(kEngine, 0, 300)});
    bench.start_slot(1, {.context = 4, .group = 9}, {command(kEngine, 1, 100)});
    bench.start_slot(2, {.context = 5, .group = 9}, {command(kEngine, 1, 100)});  // another context
    bench.wait_for(2);
    EXPECT_EQ(bench.end_ns(1), 220U);
    EXPECT_EQ(bench.end_ns(2), 420U + 120);
  });
}

TEST(TaskManagerSlots, TheHigherPriorityGoesFirstAtEachCommand) {
  SlotBench bench;
  run_thread([&] {
    const std::vector<npu_command> copies(10, command(kTaskDma, 0, 80));
    bench.start_slot(0, half(0, 1), copies);
    sc_core::wait(ns(250));  // in its second copy, from 220 to 300
    bench.start_slot(1, half(1, 2), {copies[0], copies[0]});
    bench.wait_for(0);
    // The urgent job is fetched at 350, in the third copy (320 to 400); its copies then take 400 to 600.
    EXPECT_EQ(bench.end_ns(1), 600U);
    EXPECT_EQ(bench.end_ns(0), 100U + 12 * 100);
  });
}

TEST(TaskManagerSlots, OfEqualPriorityTheyTakeTurns) {
  SlotBench bench;
  run_thread([&] {
    const std::vector<npu_command> copies(3, command(kTaskDma, 0, 80));
    bench.start_slot(2, half(0), copies);
    bench.start_slot(1, half(1), copies);
    bench.wait_for(1);
    // Six copies of 100 ns from 100 ns on; slot 1, whose turn is before slot 2's, takes the first, third and fifth.
    bench.wait_for(2);
    EXPECT_EQ(bench.end_ns(1), 600U);
    EXPECT_EQ(bench.end_ns(2), 700U);
  });
}

TEST(TaskManagerSlots, FunctionsTakeTurnsWhateverTheirPriorities) {
  SlotBench bench;
  run_thread([&] {
    const std::vector<npu_command> copies(3, command(kTaskDma, 0, 80));
    bench.hart.write(SlotBench::at(2, TASK_MANAGER_FUNCTION), uint32_t{2});
    bench.start_slot(0, half(0, 9), copies);
    bench.start_slot(2, half(1, 0), copies);
    bench.wait_for(2);
    EXPECT_EQ(bench.end_ns(0), 600U);
    EXPECT_EQ(bench.end_ns(2), 700U);
  });
}

TEST(TaskManagerSlots, APriorityMayChangeWhileTheJobRuns) {
  SlotBench bench;
  run_thread([&] {
    const std::vector<npu_command> copies(5, command(kTaskDma, 0, 80));
    bench.start_slot(0, half(0, 5), copies);
    bench.start_slot(1, half(1, 1), copies);
    sc_core::wait(ns(250));  // slot 0 runs its second copy, to 300
    bench.hart.write(SlotBench::at(1, TASK_MANAGER_PRIORITY), uint32_t{6});
    bench.wait_for(1);
    EXPECT_EQ(bench.end_ns(1), 300U + 5 * 100);
    bench.wait_for(0);
    EXPECT_EQ(bench.end_ns(0), 800U + 3 * 100);
  });
}

TEST(TaskManagerSlots, CountsTheTimeForWhichOthersHaveItsQueue) {
  SlotBench bench;
  const auto blocked = [&](unsigned slot) {
    return bench.hart.read<uint64_t>(SlotBench::at(slot, TASK_MANAGER_BLOCKED_NS));
  };
  run_thread([&] {
    // Both streams are there at 100. Slot 0's copy takes 100 to 620, slot 1's engine command 100 to 200 and its copy
    // 620 to 700: it waits for the queue from 200 on.
    bench.start_slot(0, half(0), {command(kTaskDma, 0, 500)});
    bench.start_slot(1, half(1), {command(kEngine, 0, 80, 1), command(kTaskDma, 0, 60, NPU_TOKEN_NONE, {{1, 1}})});
    sc_core::wait(ns(300));
    EXPECT_EQ(blocked(1), 100U);
    EXPECT_EQ(blocked(0), 0U);
    bench.wait_for(1);
    EXPECT_EQ(bench.end_ns(1), 700U);
    EXPECT_EQ(blocked(1), 420U);
    bench.start_slot(1, half(1), {command(kEngine, 0, 80)});
    bench.wait_for(1);
    EXPECT_EQ(blocked(1), 0U);
  });
}

TEST(TaskManagerSlots, AJobMayCountItsEnginesFromWhereItLikes) {
  SlotBench bench;
  run_thread([&] {
    bench.hart.write(TASK_MANAGER_FIRST_ENGINE, uint32_t{6});
    bench.start_slot(0, half(0), {command(kEngine, 6, 10), command(kNeuralDma, 6, 10)});
    bench.wait_for(0);
    EXPECT_EQ(bench.slot_status(0), kDone);
    for (const uint8_t other : {uint8_t{0}, uint8_t{5}, uint8_t{7}}) {
      bench.start_slot(0, half(0), {command(kEngine, other, 10)});
      bench.wait_for(0);
      EXPECT_EQ(bench.word(0, TASK_MANAGER_FAULT_CODE), uint32_t{NPU_FAULT_ILLEGAL_COMMAND});
    }
  });
  for (const auto& each : bench.engine.log) EXPECT_EQ(each.command.engine, 0);
}

TEST(TaskManagerSlots, AWaitingJobOfHighPriorityOvertakesOneOfLow) {
  SlotBench bench;
  run_thread([&] {
    bench.start_slot(0, {}, {command(kEngine, 0, 500)});
    sc_core::wait(ns(10));
    bench.start_slot(1, {.priority = 1}, {command(kEngine, 0, 100)});
    bench.start_slot(2, {.priority = 7}, {command(kEngine, 0, 100)});
    bench.wait_for(1);
    EXPECT_EQ(bench.end_ns(2), 620U + 120);
    EXPECT_EQ(bench.end_ns(1), 740U + 120);
  });
}

TEST(TaskManagerSlots, AbortingOneLeavesTheOthersAlone) {
  SlotBench bench;
  run_thread([&] {
    bench.start_slot(0, half(0), {command(kEngine, 0, 300), command(kEngine, 0, 300)});
    bench.start_slot(1, half(1), {command(kEngine, 0, 300), command(kEngine, 0, 300)});
    bench.start_slot(2, {}, {command(kEngine, 0, 10)});
    sc_core::wait(ns(200));
    bench.hart.write(SlotBench::at(1, TASK_MANAGER_CONTROL), uint32_t{TASK_MANAGER_CONTROL_ABORT_MASK});
    bench.hart.write(SlotBench::at(2, TASK_MANAGER_CONTROL), uint32_t{TASK_MANAGER_CONTROL_ABORT_MASK});
    EXPECT_EQ(bench.slot_status(2), kDoneWithError);  // it had not begun
    bench.wait_for(0);
    EXPECT_EQ(bench.slot_status(0), kDone);
    EXPECT_EQ(bench.slot_status(1), kDoneWithError);
    EXPECT_EQ(bench.end_ns(1), 420U);
    EXPECT_EQ(bench.end_ns(0), 740U);
    EXPECT_EQ(bench.word(0, TASK_MANAGER_RETIRED), 2U);
    EXPECT_EQ(bench.word(1, TASK_MANAGER_RETIRED), 1U);
  });
}

TEST(TaskManagerSlots, TokensAndSegmentsAreEachJobsOwn) {
  SlotBench bench;
  run_thread([&] {
    bench.start_slot(0, half(0), {command(kEngine, 0, 50, 1)});
    bench.start_slot(1, half(1), {command(kEngine, 0, 10, 2, {{1, 1}})});
    bench.wait_for(0);
    EXPECT_EQ(bench.slot_status(1), kDoneWithError);
    EXPECT_EQ(bench.word(1, TASK_MANAGER_FAULT_CODE), uint32_t{NPU_FAULT_DEADLOCK});
    EXPECT_EQ(bench.slot_status(0), kDone);
  });
}

TEST(TaskManagerSlots, ClearsOnlyThePartThatChangesItsOwner) {
  SlotBench bench;
  std::vector<OnChipPart> parts;
  bench.manager.on_owner_change([&](const OnChipPart& part) {
    parts.push_back(part);
    return ns(500);
  });
  run_thread([&] {
    bench.hart.write(SlotBench::at(1, TASK_MANAGER_FUNCTION), uint32_t{3});
    bench.start_slot(1, half(1), {command(kEngine, 0, 10)});
    bench.start_slot(0, half(0), {command(kEngine, 0, 10)});
    bench.wait_for(1);
    EXPECT_EQ(bench.end_ns(0), 130U);
    EXPECT_EQ(bench.end_ns(1), 530U);
    bench.start_slot(2, {}, {command(kEngine, 0, 10)});  // function 0 again, everything
    bench.wait_for(2);
  });
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].engines, std::vector<uint8_t>{1});
  EXPECT_EQ(parts[0].shared_base, 2U << 20);
  EXPECT_EQ(parts[0].shared_bytes, 2U << 20);
  EXPECT_EQ(parts[1].engines, std::vector<uint8_t>{1});
}

TEST(TaskManagerSlots, AnAddressSpaceOwnsItsPartToo) {
  SlotBench bench;
  unsigned clearings = 0;
  bench.manager.on_owner_change([&](const OnChipPart& part) {
    EXPECT_EQ(part.engines, std::vector<uint8_t>{1});
    ++clearings;
    return ns(500);
  });
  const auto run_in_space = [&](uint32_t space) {
    bench.hart.write(SlotBench::at(1, TASK_MANAGER_ADDRESS_SPACE), space);
    bench.start_slot(1, half(1), {command(kEngine, 0, 10)});
    bench.wait_for(1);
    return clearings;
  };
  run_thread([&] {
    EXPECT_EQ(run_in_space(5), 1U);  // after function 0 without an address space
    EXPECT_EQ(run_in_space(5), 1U);
    EXPECT_EQ(run_in_space(6), 2U);
    EXPECT_EQ(run_in_space(0), 3U);
    bench.hart.write(SlotBench::at(0, TASK_MANAGER_CONTROL), uint32_t{TASK_MANAGER_CONTROL_CLEAR_MEMORIES_MASK});
    EXPECT_EQ(run_in_space(0), 4U);
  });
}

TEST(TaskManagerSlots, APartOfTheSharedMemoryThatCannotBeIsReportedAndEmpty) {
  SlotBench bench;
  run_thread([&] {
    bench.start_slot(0, {.shared_base = 1000}, {command(kEngine, 0, 10)});
    bench.start_slot(1, {.engines = 0, .shared_base = 0xffff0000, .shared_bytes = 0x20000}, {});
    EXPECT_EQ(bench.environment.diagnostics().misuse_count(), 2U);
    bench.wait_for(0);
  });
}

TEST(TaskManagerSlots, AnEngineThatTheJobDoesNotHaveIsIllegal) {
  SlotBench bench;
  run_thread([&] {
    bench.start_slot(0, half(1), {command(kEngine, 0, 10), command(kEngine, 1, 10)});
    bench.wait_for(0);
    EXPECT_EQ(bench.word(0, TASK_MANAGER_FAULT_CODE), uint32_t{NPU_FAULT_ILLEGAL_COMMAND});
    EXPECT_EQ(bench.word(0, TASK_MANAGER_FAULT_COMMAND), 1U);
  });
}

TEST(TaskManagerSlots, CommandsRunWhileTheRestOfTheStreamIsFetched) {
  SlotBench bench;
  run_thread([&] {
    bench.start_slot(0, half(0), std::vector<npu_command>(40, command(kEngine, 0, 0)));
    bench.wait_for(0);
  });
  EXPECT_EQ(bench.engine.log.size(), 40U);
}

/// Streams in which each token has one producer; some commands fail.
TEST(TaskManagerErrors, AFailedCommandCancelsExactlyWhatDependsOnIt) {
  SlotBench bench;
  std::mt19937 random(61);
  run_thread(
      [&] {
        for (int round = 0; round < 200; ++round) {
          const size_t length = 1 + below(random, 60);
          std::vector<npu_command> stream;
          std::vector<bool> good;
          bench.engine.failures.clear();
          bench.engine.log.clear();
          size_t retired = 0;
          size_t cancelled = 0;
          for (uint16_t i = 0; i < length; ++i) {
            std::vector<npu_token_wait> waits;
            bool depends = false;
            for (uint32_t w = below(random, 4); w > 0 && i > 0; --w) {
              const auto producer = static_cast<uint16_t>(below(random, i));
              waits.push_back({producer, 1});
              depends = depends || !good[producer];
            }
            const bool fails = below(random, 10) == 0;
            if (fails) bench.engine.failures[i] = {NPU_FAULT_BUS, i, 1000U + i};
            good.push_back(!depends && !fails);
            retired += good.back() ? 1U : 0U;
            cancelled += depends ? 1U : 0U;
            stream.push_back(command(below(random, 2) == 0 ? kEngine : kNeuralDma,
                                     static_cast<uint8_t>(below(random, 2)), below(random, 100), i, waits));
          }
          bench.start_slot(0, {.options = TASK_MANAGER_OPTIONS_CONTINUE_MASK}, stream);
          bench.wait_for(0);
          ASSERT_EQ(bench.word(0, TASK_MANAGER_RETIRED), retired) << "round " << round;
          ASSERT_EQ(bench.word(0, TASK_MANAGER_CANCELLED), cancelled) << "round " << round;
          ASSERT_EQ(bench.engine.log.size(), length - cancelled);
          ASSERT_EQ(bench.slot_status(0), retired == length ? kDone : kDoneWithError);
          if (retired == length) continue;
          const uint32_t failed = bench.fault_command();
          ASSERT_TRUE(bench.engine.failures.contains(failed));
          ASSERT_EQ(bench.hart.read<uint64_t>(TASK_MANAGER_FAULT_POSITION), 1000U + failed);
        }
      },
      {100, sc_core::SC_SEC});
}

TEST(TaskManagerErrors, WhatFollowsABarrierDependsOnAllBefore) {
  SlotBench bench;
  bench.engine.failures[0] = {NPU_FAULT_POISON, 0};
  auto barrier = command(NPU_COMMAND_CONTROL, 0, 0);
  barrier.opcode = NPU_CONTROL_BARRIER;
  run_thread([&] {
    bench.start_slot(0, {.options = TASK_MANAGER_OPTIONS_CONTINUE_MASK},
                     {command(kEngine, 0, 10), command(kEngine, 1, 90), barrier, command(kTaskDma, 0, 10)});
    bench.wait_for(0);
    EXPECT_EQ(bench.word(0, TASK_MANAGER_CANCELLED), 1U);
    EXPECT_EQ(bench.engine.log.size(), 2U);
  });
}

/// Plays tokens without time: what can ever run, whatever the order.
struct TokenGame {
  explicit TokenGame(const std::vector<npu_command>& stream) {
    std::map<std::pair<int, int>, std::vector<uint32_t>> queues;
    for (uint32_t i = 0; i < stream.size(); ++i) queues[{stream[i].kind, stream[i].engine}].push_back(i);
    std::map<uint16_t, uint32_t> tokens;
    for (bool moved = true; moved;) {
      moved = false;
      for (auto& [key, queue] : queues) {
        if (queue.empty()) continue;
        const auto& head = stream[queue.front()];
        if (!std::all_of(std::begin(head.wait), std::end(head.wait), [&](const npu_token_wait& wait) {
              return wait.token == NPU_TOKEN_NONE || tokens[wait.token] >= wait.count;
            })) {
          continue;
        }
        ++tokens[head.signal];
        queue.erase(queue.begin());
        ++run;
        moved = true;
      }
    }
    for (const auto& [key, queue] : queues) {
      if (!queue.empty()) blocked = std::min(blocked, queue.front());
    }
  }
  uint32_t run = 0;
  uint32_t blocked = ~0U;
};

TEST(TaskManagerErrors, RandomGraphsEndOrDeadlockAsTheTokenGameSays) {
  SlotBench bench;
  std::mt19937 random(67);
  int deadlocks = 0;
  run_thread(
      [&] {
        for (int round = 0; round < 500; ++round) {
          std::vector<npu_command> stream;
          for (size_t i = 1 + below(random, 80); i > 0; --i) {
            std::vector<npu_token_wait> waits;
            for (uint32_t w = below(random, 3); w > 0; --w) {
              waits.push_back({static_cast<uint16_t>(below(random, 4)), static_cast<uint16_t>(below(random, 3))});
            }
            stream.push_back(command(below(random, 2) == 0 ? kEngine : kNeuralDma,
                                     static_cast<uint8_t>(below(random, 2)), below(random, 50),
                                     static_cast<uint16_t>(below(random, 6)), waits));
          }
          const TokenGame game(stream);
          bench.start_slot(0, {}, stream);
          bench.wait_for(0);
          ASSERT_EQ(bench.word(0, TASK_MANAGER_RETIRED), game.run) << "round " << round;
          if (game.run == stream.size()) {
            ASSERT_EQ(bench.slot_status(0), kDone);
            continue;
          }
          ++deadlocks;
          ASSERT_EQ(bench.fault(), uint32_t{NPU_FAULT_DEADLOCK}) << "round " << round;
          ASSERT_EQ(bench.fault_command(), game.blocked) << "round " << round;
        }
      },
      {100, sc_core::SC_SEC});
  EXPECT_GT(deadlocks, 50);
  EXPECT_LT(deadlocks, 450);
}

}  // namespace
}  // namespace npuvp::task_manager
