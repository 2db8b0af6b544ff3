// SPDX-License-Identifier: Apache-2.0
// Loops, barriers and fans of tokens against the same stream written out.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <tuple>

#include "tests/models/task_manager/task_manager_bench.h"

namespace npuvp::task_manager {
namespace {

using test::below;
using test::ns;
using test::run_thread;

constexpr std::array<std::pair<npu_command_kind, unsigned>, 4> kKinds{{{NPU_COMMAND_NEURAL_ENGINE, 2},
                                                                       {NPU_COMMAND_NEURAL_DMA, 2},
                                                                       {NPU_COMMAND_TASK_DMA, 1},
                                                                       {NPU_COMMAND_EXTERNAL_HDMA, 2}}};

npu_command control(uint8_t opcode) {
  auto made = command(NPU_COMMAND_CONTROL, 0, 0);
  made.opcode = opcode;
  return made;
}

npu_command loop(uint32_t count) {
  auto made = control(NPU_CONTROL_LOOP);
  made.u.loop.count = count;
  return made;
}

npu_command loop_end() {
  return control(NPU_CONTROL_LOOP_END);
}

npu_command step_of(uint8_t offset, uint8_t bytes, int64_t step, uint8_t level = 0) {
  auto made = control(NPU_CONTROL_STEP);
  made.u.step.field[0].step = step;
  made.u.step.field[0].offset = offset;
  made.u.step.field[0].bytes = bytes;
  made.u.step.field[0].level = level;
  return made;
}

TEST(TaskManagerLoop, RunsItsBodyAndStepsItsFields) {
  TaskManagerBench bench;
  run_thread([&] {
    auto copy = command(NPU_COMMAND_TASK_DMA, 0, 5);
    copy.u.dma.source = NPU_ADDRESS(2, 0x100);
    copy.u.dma.rows = 7;
    auto steps = step_of(0, 8, 0x1000);
    steps.u.step.field[1] = {-3, 16, 4, 1, {}};  // rows, of the outer loop
    bench.run({loop(2), loop(3), steps, copy, loop_end(), loop_end()});
    EXPECT_EQ(bench.status(), TASK_MANAGER_STATUS_DONE_MASK);
    EXPECT_EQ(bench.retired(), 6U);
  });
  ASSERT_EQ(bench.engine.log.size(), 6U);
  for (uint32_t i = 0; i < 6; ++i) {
    EXPECT_EQ(bench.engine.log[i].command.u.dma.source, NPU_ADDRESS(2, 0x100 + 0x1000 * (i % 3)));
    EXPECT_EQ(bench.engine.log[i].command.u.dma.rows, 7 - 3 * (i / 3));
    EXPECT_EQ(bench.engine.log[i].index, 3U);
    EXPECT_EQ(bench.engine.log[i].begin, ns(120 + 25 * i));
  }
}

TEST(TaskManagerLoop, ANegativeCountLetsAnIterationOverlapWithTheOneBefore) {
  TaskManagerBench bench;
  run_thread([&] {
    // Two buffers: loading waits for the computation two iterations ago.
    bench.run({loop(4), command(NPU_COMMAND_NEURAL_DMA, 0, 30, 1, {{2, static_cast<uint16_t>(-1)}}),
               command(NPU_COMMAND_NEURAL_ENGINE, 0, 80, 2, {{1, 1}}), loop_end()});
  });
  std::vector<sc_core::sc_time> loads;
  for (const auto& each : bench.engine.log) {
    if (each.index == 1) loads.push_back(each.begin);
  }
  // First computation from 100+20+30+20 = 170 to 250, then each 100 later; load 2 waits for computation 0.
  EXPECT_EQ(loads, (std::vector{ns(120), ns(170), ns(270), ns(370)}));
}

/// A random program as a tree, and its two forms.
struct Node {
  std::vector<std::unique_ptr<Node>> body;  // of a loop
  uint32_t count = 0;                       // of a loop; 0: a command
  bool barrier = false;
  npu_command command{};
  npu_command steps{};  // with opcode 0: none
  bool visited = false;
};

struct Program {
  explicit Program(std::mt19937& generator) : random(generator) {
    fill(root, 0, 12);
    root.count = 1;
    unroll(root, {}, {});
    write(root);
  }

  void fill(Node& node, unsigned depth, unsigned most) {
    for (unsigned i = 1 + below(random, most); i > 0; --i) {
      auto& child = *node.body.emplace_back(std::make_unique<Node>());
      if (depth < NPU_LOOP_DEPTH && below(random, 5) == 0) {
        child.count = 1 + below(random, 4);
        fill(child, depth + 1, 4);
        continue;
      }
      if (below(random, 12) == 0) {
        child.barrier = true;
        child.command = control(NPU_CONTROL_BARRIER);
        continue;
      }
      const auto [kind, engines] = kKinds[below(random, kKinds.size())];
      const auto signal = static_cast<uint16_t>(below(random, 9));
      child.command = command(kind, static_cast<uint8_t>(below(random, engines)), below(random, 200),
                              signal < 6 ? signal : static_cast<uint16_t>(NPU_TOKEN_NONE));
      child.command.u.dma.source = next_id++ << 32;
      if (depth > 0 && below(random, 2) == 0) {
        child.steps = step_of(0, 8, below(random, 1000), static_cast<uint8_t>(below(random, depth)));
      }
    }
  }

  /// `before[l][t]`: signals to t when loop l began; `iterations`: outermost first. Neither holds the root.
  void unroll(Node& node, const std::vector<std::array<int64_t, 6>>& before, const std::vector<uint32_t>& iterations) {
    const auto began = emitted;
    for (uint32_t i = 0; i < node.count; ++i) {
      auto earlier = before;
      auto path = iterations;
      if (&node != &root) {
        auto& own = earlier.emplace_back();
        for (size_t t = 0; t < own.size(); ++t) own[t] = emitted[t] - began[t];
        path.push_back(i);
      }
      for (auto& child : node.body) {
        if (child->count > 0) {
          unroll(*child, earlier, path);
        } else {
          unroll_command(*child, earlier, path);
        }
      }
    }
  }

  /// `earlier[l][t]`: signals to t in the earlier iterations of loop l.
  void unroll_command(Node& node, const std::vector<std::array<int64_t, 6>>& earlier,
                      const std::vector<uint32_t>& path) {
    if (!node.visited && !node.barrier) choose_waits(node, !path.empty());
    node.visited = true;
    npu_command made = node.command;
    for (auto& wait : made.wait) {
      if (wait.token == NPU_TOKEN_NONE) continue;
      int64_t count = path.empty() ? int64_t{wait.count} : int64_t{static_cast<int16_t>(wait.count)};
      for (const auto& signals : earlier) count += signals[wait.token];
      wait.count = static_cast<uint16_t>(std::max<int64_t>(count, 0));
    }
    if (node.steps.opcode != 0) {
      const auto& field = node.steps.u.step.field[0];
      made.u.dma.source += path[path.size() - 1 - field.level] * static_cast<uint64_t>(field.step);
    }
    flat.push_back(made);
    if (made.signal != NPU_TOKEN_NONE) ++emitted[made.signal];
  }

  /// What the commands before make is enough, so that every command can run.
  void choose_waits(Node& node, bool in_loop) {
    for (unsigned i = 0; i < below(random, 4); ++i) {
      const auto token = static_cast<uint16_t>(below(random, 6));
      const auto count = static_cast<int64_t>(below(random, static_cast<uint64_t>(emitted[token]) + 1)) -
                         (in_loop ? below(random, 3) : 0);
      node.command.wait[i] = {token, static_cast<uint16_t>(count)};
    }
  }

  void write(const Node& node) {
    for (const auto& child : node.body) {
      if (child->count > 0) {
        looped.push_back(loop(child->count));
        write(*child);
        looped.push_back(loop_end());
        continue;
      }
      if (child->steps.opcode != 0) looped.push_back(child->steps);
      looped.push_back(child->command);
    }
  }

  std::mt19937& random;
  Node root;
  uint64_t next_id = 1;
  std::array<int64_t, 6> emitted{};
  std::vector<npu_command> flat;
  std::vector<npu_command> looped;
};

using Record = std::tuple<sc_core::sc_time, sc_core::sc_time, uint8_t, uint8_t, uint64_t>;

std::vector<Record> records_of(TaskManagerBench& bench, const std::vector<npu_command>& stream) {
  bench.engine.log.clear();
  const auto start = sc_core::sc_time_stamp();
  bench.run(stream);
  std::vector<Record> records;
  for (const auto& each : bench.engine.log) {
    records.emplace_back(each.begin - start, each.end - start, each.command.kind, each.command.engine,
                         each.command.u.dma.source);
  }
  std::sort(records.begin(), records.end());
  return records;
}

TEST(TaskManagerLoop, RandomProgramsRunAsIfWrittenOut) {
  TaskManagerBench bench;
  std::mt19937 random(51);
  int looped = 0;
  run_thread(
      [&] {
        for (int round = 0; round < 300; ++round) {
          const Program program(random);
          if (program.flat.size() > 2000) continue;
          const auto expected = records_of(bench, program.flat);
          ASSERT_EQ(bench.status(), TASK_MANAGER_STATUS_DONE_MASK) << "round " << round;
          const uint32_t retired = bench.retired();
          ASSERT_EQ(retired, program.flat.size());
          ASSERT_EQ(records_of(bench, program.looped), expected) << "round " << round;
          ASSERT_EQ(bench.retired(), retired);
          if (program.looped.size() < program.flat.size()) ++looped;
        }
      },
      {100, sc_core::SC_SEC});
  EXPECT_GT(looped, 100);
}

TEST(TaskManagerLoop, ABarrierSeparatesWhatPrecedesFromWhatFollows) {
  TaskManagerBench bench;
  run_thread([&] {
    bench.run({command(NPU_COMMAND_NEURAL_ENGINE, 0, 10), command(NPU_COMMAND_NEURAL_DMA, 1, 300),
               control(NPU_CONTROL_BARRIER), command(NPU_COMMAND_NEURAL_ENGINE, 0, 10),
               command(NPU_COMMAND_TASK_DMA, 0, 10)});
    EXPECT_EQ(bench.retired(), 5U);
  });
  EXPECT_EQ(bench.engine.log[2].begin, ns(120 + 300 + 20 + 20));
  EXPECT_EQ(bench.engine.log[3].begin, ns(120 + 300 + 20 + 20));
}

TEST(TaskManagerLoop, TokensFanInAndOut) {
  TaskManagerBench bench;
  run_thread([&] {
    std::vector<npu_command> stream;
    auto fan = control(NPU_CONTROL_TOKENS);
    for (uint16_t i = 0; i < NPU_FAN; ++i) {
      stream.push_back(command(NPU_COMMAND_NEURAL_ENGINE, i % 2, 10U * i, i));
      fan.u.fan.wait[i] = {i, 1};
      fan.u.fan.signal[i] = static_cast<uint16_t>(100 + i);
    }
    stream.push_back(fan);
    for (uint16_t i = 0; i < 3; ++i) {
      stream.push_back(
          command(NPU_COMMAND_NEURAL_DMA, i % 2, 5, NPU_TOKEN_NONE, {{static_cast<uint16_t>(113 + i), 1}}));
    }
    bench.run(stream);
    EXPECT_EQ(bench.status(), TASK_MANAGER_STATUS_DONE_MASK);
    EXPECT_EQ(bench.retired(), 20U);
  });
  // Engine 1 works 10+30+..+150 = 640 with 8 times 20 before; then the fan 20, and 20 before the copies.
  EXPECT_EQ(bench.engine.log[16].begin, ns(100 + 640 + 160 + 20 + 20));
}

TEST(TaskManagerLoop, NamesTheCommandThatIsNotAllowed) {
  TaskManagerBench bench;
  const auto failing = [&](const std::vector<npu_command>& stream) {
    bench.run(stream);
    EXPECT_EQ(bench.fault(), uint32_t{NPU_FAULT_ILLEGAL_COMMAND});
    return bench.fault_command();
  };
  const auto work = command(NPU_COMMAND_TASK_DMA, 0, 1);
  auto waiting = loop(2);
  waiting.wait[0] = {1, 1};
  auto big = loop(0xffffffff);
  run_thread([&] {
    EXPECT_EQ(failing({work, loop_end()}), 1U);
    EXPECT_EQ(failing({work, loop(2), work}), 1U);
    EXPECT_EQ(failing({loop(0), work, loop_end()}), 0U);
    EXPECT_EQ(failing({waiting, work, loop_end()}), 0U);
    EXPECT_EQ(failing({loop(2), loop(2), loop(2), loop(2), loop(2), work}), 4U);
    EXPECT_EQ(failing({big, work, work, loop_end()}), 3U);
    EXPECT_EQ(failing({work, step_of(0, 8, 1)}), 1U);
    EXPECT_EQ(failing({step_of(0, 8, 1), work}), 1U);  // not in a loop
    EXPECT_EQ(failing({loop(2), step_of(90, 4, 1), work, loop_end()}), 2U);
    EXPECT_EQ(failing({loop(2), step_of(2, 4, 1), work, loop_end()}), 2U);
    EXPECT_EQ(failing({loop(2), step_of(0, 8, 1, 1), work, loop_end()}), 2U);
    EXPECT_EQ(failing({loop(2), step_of(0, 8, 1), loop_end()}), 2U);
    EXPECT_EQ(failing({work, control(6)}), 1U);
  });
}

TEST(TaskManagerLoop, ADeadlockInALaterIterationIsFound) {
  TaskManagerBench bench;
  run_thread([&] {
    // Token 2 comes once, the third iteration needs it a second time.
    bench.run({command(NPU_COMMAND_TASK_DMA, 0, 5, 2), loop(5), command(NPU_COMMAND_NEURAL_ENGINE, 0, 10, 1, {{1, 0}}),
               command(NPU_COMMAND_NEURAL_DMA, 0, 10, 3, {{1, 2}}), loop_end()});
    EXPECT_EQ(bench.fault(), uint32_t{NPU_FAULT_DEADLOCK});
    EXPECT_EQ(bench.fault_command(), 3U);
    EXPECT_EQ(bench.retired(), 1U + 5 + 4);  // the last copy waits for a sixth computation
  });
}

}  // namespace
}  // namespace npuvp::task_manager
