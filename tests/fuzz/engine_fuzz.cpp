// SPDX-License-Identifier: Apache-2.0
// Fuzz target: commands for a Neural Engine, 128 bytes each. One engine computes, a second one does not (`data: none`).
// A finding, beside what the sanitizers see: a refused command that takes time or writes, a write outside of the
// outputs, engines that disagree about fault or time.
#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "models/ne/command_plan.h"
#include "models/ne/neural_engine.h"
#include "models/tensor_core/tensor_core.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/models/ne/test_scratchpad.h"

// SystemC's library refers to it.
int sc_main(int /*argc*/, char** /*argv*/) {
  return 0;
}

namespace npuvp::fuzz {
namespace {

using sc_core::sc_time;
using sc_core::sc_time_stamp;

constexpr uint64_t kScratchpadBytes = 64 << 10;
constexpr uint64_t kMostOperations = 1 << 20;  // of a command, for the fuzzer's speed; the checks see larger ones too

/// An engine with its scratchpad.
struct Engine {
  Engine(const std::string& name, base::Environment& environment, bool compute)
      : scratchpad((name + "_scratchpad").c_str(), kScratchpadBytes, true, 64e9),
        core((name + "_core").c_str(), environment, core_parameters(compute)),
        ne(name.c_str(), environment, engine_parameters(compute)),
        registers((name + "_registers").c_str()) {
    ne.scratchpad.socket.bind(scratchpad.first);
    core.scratchpad.socket.bind(scratchpad.second);
    ne.tensor.bind(core);
    registers.socket.bind(ne.registers);
  }
  static tensor_core::Parameters core_parameters(bool compute) {
    tensor_core::Parameters parameters;
    parameters.compute = compute;
    return parameters;
  }
  static ne::Parameters engine_parameters(bool compute) {
    ne::Parameters parameters;
    parameters.scratchpad_bytes = kScratchpadBytes;
    parameters.compute = compute;
    return parameters;
  }

  test::TestScratchpad scratchpad;
  tensor_core::TensorCore core;
  ne::NeuralEngine ne;
  base::InitiatorPort registers;
};

/// What a command may do by its own fields.
struct Expected {
  bool legal = false;
  uint64_t operations = 0;
  std::vector<std::pair<uint64_t, uint64_t>> outputs;  // first byte and bytes
};

Expected expected_of(const npu_command& command, const base::TensorCoreIdentification& core) {
  const auto extent = [](uint64_t rows, uint64_t stride, uint64_t row) { return (rows - 1) * stride + row; };
  if (command.opcode == NPU_NE_GEMM) {
    const npu_gemm& g = command.u.gemm;
    if (!ne::check_gemm(g, kScratchpadBytes, core).ok()) return {};
    const uint64_t batch = std::max(g.batch, 1u);
    const uint64_t bytes = (batch - 1) * g.c_batch_stride + extent(g.m, g.c_stride, uint64_t{g.n} * 4);
    return {true, batch * g.m * g.n * g.k / 64, {{g.c, bytes}}};
  }
  if (command.opcode == NPU_NE_VECTOR) {
    const npu_vector& v = command.u.vector;
    if (!ne::check_vector(v, kScratchpadBytes).ok()) return {};
    return {true, uint64_t{v.m} * v.n, {{v.out, extent(v.m, v.out_stride, uint64_t{v.n} * 4)}}};
  }
  const ne::CommandPlan plan = ne::plan_command(command, kScratchpadBytes, 64);
  Expected expected{plan.check.ok(), plan.operations, {}};
  for (const ne::Operand& operand : plan.all()) {
    if (operand.output) expected.outputs.emplace_back(operand.offset, operand.extent);
  }
  return expected;
}

class Engines final : public sc_core::sc_module {
 public:
  explicit Engines(sc_core::sc_module_name name) : sc_module(name) {
    environment_.set_log_level("all", spdlog::level::off);
    sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
    computes_ = std::make_unique<Engine>("computes", environment_, true);
    passes_ = std::make_unique<Engine>("passes", environment_, false);
    SC_HAS_PROCESS(Engines);
    SC_THREAD(serve);
  }

  void run(std::span<const npu_command> commands) {
    commands_ = commands;
    start_.notify(sc_core::SC_ZERO_TIME);
    sc_core::sc_start();
  }

 private:
  void serve() {
    for (;;) {
      wait(start_);
      for (Engine* engine : {computes_.get(), passes_.get()}) engine->ne.reset();
      auto& memory = computes_->scratchpad.memory;
      for (size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<uint8_t>(i * 37 + i / 256);
      for (const npu_command& command : commands_) check(command);
    }
  }

  struct Outcome {
    base::CommandOutcome outcome;
    sc_time took;
  };
  static Outcome execute(Engine& engine, const npu_command& command) {
    const sc_time begin = sc_time_stamp();
    const auto outcome = engine.ne.execute({.command = &command, .space = nullptr, .context = 1, .index = 0});
    return {outcome, sc_time_stamp() - begin};
  }

  void check(const npu_command& command) {
    const Expected expected = expected_of(command, computes_->core.identification());
    if (expected.operations > kMostOperations) return;
    const auto before = computes_->scratchpad.memory;
    const Outcome exact = execute(*computes_, command);
    const Outcome none = execute(*passes_, command);
    if (!expected.legal && (exact.outcome.ok() || exact.took != sc_core::SC_ZERO_TIME)) {
      report_finding("a command that is not legal was done");
    }
    const bool indexed = command.opcode == NPU_NE_GATHER || command.opcode == NPU_NE_SCATTER;
    const bool bad_index = indexed && expected.legal && exact.outcome.fault == NPU_FAULT_ADDRESS;
    if (!bad_index && (exact.outcome.fault != none.outcome.fault || exact.took != none.took ||
                       exact.outcome.fault_address != none.outcome.fault_address)) {
      report_finding("an engine without data differs in fault or time");
    }
    const auto& after = computes_->scratchpad.memory;
    for (size_t i = 0; i < after.size(); ++i) {
      if (before[i] == after[i]) continue;
      const bool inside =
          exact.outcome.ok() && std::any_of(expected.outputs.begin(), expected.outputs.end(), [i](const auto& output) {
            return i >= output.first && i - output.first < output.second;
          });
      if (!inside) report_finding("a byte outside of the outputs was changed");
    }
    const auto& untouched = passes_->scratchpad.memory;
    if (std::any_of(untouched.begin(), untouched.end(), [](uint8_t byte) { return byte != 0; })) {
      report_finding("an engine without data has written");
    }
  }

  base::Environment environment_;
  std::unique_ptr<Engine> computes_;
  std::unique_ptr<Engine> passes_;
  sc_core::sc_event start_;
  std::span<const npu_command> commands_;
};

}  // namespace
}  // namespace npuvp::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static auto* const engines = new npuvp::fuzz::Engines("engines");  // lives as long as the kernel
  constexpr size_t kMostCommands = 8;
  std::vector<npu_command> commands(std::min(size / sizeof(npu_command), kMostCommands));
  if (!commands.empty()) std::memcpy(commands.data(), data, commands.size() * sizeof(npu_command));
  for (npu_command& command : commands) {  // what the Task Manager hands to engine 0
    command.kind = NPU_COMMAND_NEURAL_ENGINE;
    command.engine &= NPU_ENGINE_VECTOR_QUEUE;
  }
  engines->run(commands);
  return 0;
}

#ifdef NPUVP_FUZZ
/// The leak detector does not find its roots on the stacks of SystemC's coroutines.
extern "C" const char* __asan_default_options();
const char* __asan_default_options() {
  return "detect_leaks=0:quarantine_size_mb=16";
}
#endif
