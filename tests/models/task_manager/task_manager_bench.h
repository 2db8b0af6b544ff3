// SPDX-License-Identifier: Apache-2.0
// A Task Manager with engines that only take time and keep a record.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "firmware/abi/memory_map.h"
#include "models/task_manager/task_manager.h"
#include "npu/registers/task_manager.h"
#include "tests/models/base/test_bus.h"

namespace npuvp::task_manager {

constexpr uint64_t kCommands = NPU_MAP_DRAM + 0x10000;
constexpr uint64_t kSegments = NPU_MAP_DRAM + 0x1000;

/// When one command was inside an engine.
struct Execution {
  uint32_t index;
  sc_core::sc_time begin;
  sc_core::sc_time end;
  npu_command command;  ///< As the engine got it.
  uint16_t context;
};

/// Executes a command in `tag` nanoseconds; all queues share it.
class TestEngine final : public base::CommandTarget {
 public:
  base::CommandOutcome execute(const base::CommandRequest& request) override {
    const auto begin = sc_core::sc_time_stamp();
    contexts.push_back(request.context);
    functions.push_back(request.function);
    asids.push_back(request.asid);
    ++inside;
    const auto failing = failures.find(request.index);
    const auto outcome = failing == failures.end() ? base::CommandOutcome{} : failing->second;
    sc_core::wait(test::ns(request.command->tag));
    --inside;
    log.push_back({request.index, begin, sc_core::sc_time_stamp(), *request.command, request.context});
    return outcome;
  }

  std::map<uint32_t, base::CommandOutcome> failures;  ///< By index, looked up when a command comes.
  std::vector<Execution> log;                         ///< In order of ends.
  std::vector<uint16_t> contexts;
  std::vector<uint16_t> functions;
  std::vector<uint16_t> asids;
  int inside = 0;
};

/// Two Neural Engines; reads answer after 100 ns.
struct TaskManagerBench {
  TaskManagerBench() : manager("task_manager", environment, parameters()) {
    environment.set_log_level("all", spdlog::level::off);
    target.index_of = test::card_index;
    target.latency = test::ns(100);
    manager.memory.socket.bind(target.socket);
    hart.port.socket.bind(manager.registers);
    for (auto* ports : {&manager.neural_engines, &manager.neural_dma, &manager.task_dma, &manager.external_hdma,
                        &manager.device_hdma, &manager.device_sync, &manager.neural_vector}) {
      for (auto& port : *ports) port.bind(engine);
    }
    manager.irq.connect([this](bool level) {
      if (level) ended.push_back(sc_core::sc_time_stamp());
    });
  }

  static TaskManager::Parameters parameters() {
    TaskManager::Parameters given;
    given.memories = {.neural_engines = 2,
                      .scratchpad_bytes = test::kCardRegionBytes,
                      .shared_bytes = test::kCardRegionBytes,
                      .dram_bytes = test::kCardRegionBytes};
    return given;
  }

  void put(const std::vector<npu_command>& commands, uint64_t at = kCommands) {
    for (size_t i = 0; i < commands.size(); ++i) target.put(at + i * sizeof(npu_command), commands[i]);
    hart.write(TASK_MANAGER_COMMANDS, at);
    hart.write(TASK_MANAGER_COMMAND_BYTES, static_cast<uint32_t>(commands.size() * sizeof(npu_command)));
  }
  void put_segments(const std::vector<npu_segment>& segments) {
    for (size_t i = 0; i < segments.size(); ++i) target.put(kSegments + i * sizeof(npu_segment), segments[i]);
    hart.write(TASK_MANAGER_SEGMENTS, kSegments);
    hart.write(TASK_MANAGER_SEGMENT_COUNT, static_cast<uint32_t>(segments.size()));
  }
  void start() { hart.write(TASK_MANAGER_CONTROL, uint32_t{TASK_MANAGER_CONTROL_START_MASK}); }
  void abort() { hart.write(TASK_MANAGER_CONTROL, uint32_t{TASK_MANAGER_CONTROL_ABORT_MASK}); }
  void wait_until_done() {
    while ((status() & TASK_MANAGER_STATUS_DONE_MASK) == 0) sc_core::wait(test::ns(1));
  }
  /// In a thread: one job from START to DONE.
  void run(const std::vector<npu_command>& commands) {
    put(commands);
    start();
    wait_until_done();
  }

  uint32_t status() { return hart.read<uint32_t>(TASK_MANAGER_STATUS); }
  uint32_t fault() { return hart.read<uint32_t>(TASK_MANAGER_FAULT_CODE); }
  uint32_t fault_command() { return hart.read<uint32_t>(TASK_MANAGER_FAULT_COMMAND); }
  uint64_t fault_address() { return hart.read<uint64_t>(TASK_MANAGER_FAULT_ADDRESS); }
  uint32_t retired() { return hart.read<uint32_t>(TASK_MANAGER_RETIRED); }

  base::Environment environment;
  TaskManager manager;
  TestEngine engine;
  test::TestTarget target{"target", test::kCardBytes};
  test::TestInitiator hart{"hart"};
  std::vector<sc_core::sc_time> ended;
};

/// A command that takes `ns` in TestEngine.
inline npu_command command(npu_command_kind kind, uint8_t engine, uint32_t ns, uint16_t signal = NPU_TOKEN_NONE,
                           std::vector<npu_token_wait> waits = {}) {
  npu_command made{};
  made.kind = static_cast<uint8_t>(kind);
  made.engine = engine;
  made.opcode = 1;
  made.tag = ns;
  made.signal = signal;
  for (auto& wait : made.wait) wait = {NPU_TOKEN_NONE, 0};
  std::copy(waits.begin(), waits.end(), std::begin(made.wait));
  return made;
}

}  // namespace npuvp::task_manager
