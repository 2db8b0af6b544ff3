// SPDX-License-Identifier: Apache-2.0
#include "models/ne/neural_engine.h"

#include <algorithm>
#include <iterator>

#include "models/ne/command_plan.h"

namespace npuvp::ne {

using base::CommandOutcome;
using sc_core::sc_time;
using sc_core::sc_time_stamp;
using sc_core::SC_ZERO_TIME;

namespace {

uint64_t nanoseconds(sc_time time) {
  return static_cast<uint64_t>(time / sc_time(1, sc_core::SC_NS));
}

uint64_t multiplications(const npu_command& command) {
  if (command.opcode == NPU_NE_GEMM) {
    const npu_gemm& gemm = command.u.gemm;
    return uint64_t{std::max(gemm.batch, 1u)} * gemm.m * gemm.n * gemm.k;
  }
  const npu_convolution& c = command.u.convolution;
  return uint64_t{c.images} * c.out_height * c.out_width * c.out_channels * c.kernel_height * c.kernel_width *
         (c.in_channels / c.groups);
}

/// A command that waits for another queue may find new contents in the scratchpad.
bool waits(const npu_command& command) {
  return std::any_of(std::begin(command.wait), std::end(command.wait),
                     [](const npu_token_wait& wait) { return wait.token != NPU_TOKEN_NONE && wait.count > 0; });
}

/// All matrices of the batch.
Operand output_of(const npu_gemm& gemm) {
  const uint64_t more = std::max(gemm.batch, 1u) - 1;
  return {.name = "C",
          .offset = gemm.c,
          .extent = more * gemm.c_batch_stride + uint64_t{gemm.m - 1} * gemm.c_stride + uint64_t{gemm.n} * 4,
          .output = true};
}

Unit unit_of(const npu_command& command) {
  switch (command.opcode) {
    case NPU_NE_GEMM:
    case NPU_NE_CONVOLUTION:
      return Unit::kTensor;
    case NPU_NE_TRANSPOSE:
      return Unit::kTranspose;
    default:
      return Unit::kVector;
  }
}

}  // namespace

NeuralEngine::NeuralEngine(sc_core::sc_module_name name, base::Environment& environment, Parameters parameters)
    : sc_module(name),
      registers("registers"),
      scratchpad("scratchpad"),
      tensor("tensor"),
      parameters_(parameters),
      log_(environment.logger(sc_module::name())),
      regs_(environment, sc_module::name()),
      vector_unit_(scratchpad, parameters) {
  sc_assert(parameters.clock_hz > 0 && parameters.vector_lanes > 0 && parameters.scratchpad_bytes > 0);
  registers.register_b_transport(this, &NeuralEngine::registers_transport);
  registers.register_transport_dbg(this, &NeuralEngine::registers_debug);
  regs_.CONTROL.on_write([this](const base::RegisterWrite& write) {
    if (regs_.CONTROL.RESET.in(write) != 0) abandon();
  });
  const base::Origin origin{.kind = base::Origin::Kind::kEngine, .id = parameters.index};
  scratchpad.sideband().origin = origin;
}

void NeuralEngine::end_of_elaboration() {
  set_identity();
}

void NeuralEngine::set_identity() {
  const base::TensorCoreIdentification core = tensor->identification();
  regs_.INDEX.set(parameters_.index);
  regs_.SCRATCHPAD_BYTES.set(parameters_.scratchpad_bytes);
  regs_.TENSOR_CORE.ROWS.set(core.rows);
  regs_.TENSOR_CORE.COLUMNS.set(core.columns);
  regs_.TENSOR_CORE.FP16.set(core.fp16 ? 1 : 0);
}

void NeuralEngine::registers_transport(tlm::tlm_generic_payload& payload, sc_time& /*delay*/) {
  regs_.transport(payload);
}

unsigned NeuralEngine::registers_debug(tlm::tlm_generic_payload& payload) {
  return regs_.transport_debug(payload);
}

void NeuralEngine::reset() {
  hang_next_ = false;
  abandon();
  regs_.reset();
  busy_ = {};
  vector_unit_.cache().reset();
  set_identity();
}

/// Every command inside returns at once.
void NeuralEngine::abandon() {
  ++epoch_;
  lines_ = {};
  show_work();
  abandoned_.notify();
  vector_unit_.cache().forget_all();
  tensor->reset();
}

/// Tells in the registers whose command is being worked on: of several units' the one that began first.
void NeuralEngine::show_work() {
  const Work* first = nullptr;
  for (const Line& each : lines_) {
    if (each.work && (first == nullptr || each.work->serial < first->serial)) first = &*each.work;
  }
  regs_.STATUS.BUSY.set(first != nullptr ? 1 : 0);
  regs_.STATUS.ASID.set(first != nullptr ? first->context : 0);
  regs_.COMMAND.set(first != nullptr ? first->index : 0);
}

CommandOutcome NeuralEngine::execute(const base::CommandRequest& request) {
  constexpr CommandOutcome kAbandoned{NPU_FAULT_BUS, 0};
  const npu_command command = *request.command;
  const uint64_t epoch = epoch_;
  const Unit unit = unit_of(command);
  if (!wait_for_turn(unit, epoch)) return kAbandoned;

  line(unit).work = Work{started_++, request.context, request.index};
  show_work();
  if (hang_next_) {
    hang_next_ = false;
    while (epoch == epoch_) wait(abandoned_);
    return kAbandoned;
  }
  scratchpad.sideband().context = request.context;
  const Timed done = run(command);
  if (done.duration > SC_ZERO_TIME) wait(done.duration, abandoned_);
  if (epoch != epoch_) return kAbandoned;

  line(unit).work.reset();
  show_work();
  ++line(unit).serving;
  turn_.notify();
  if (done.outcome.ok()) count(command, done.duration);
  return done.outcome;
}

bool NeuralEngine::wait_for_turn(Unit unit, uint64_t epoch) {
  const uint64_t ticket = line(unit).next++;
  while (epoch == epoch_ && ticket != line(unit).serving) wait(turn_ | abandoned_);
  return epoch == epoch_;
}

Timed NeuralEngine::run(const npu_command& command) {
  const auto refused = [&](const CommandOutcome& outcome, const char* reason) {
    log_->info("command with tag {} refused: {} (fault {}, address {:#x})", command.tag, reason,
               static_cast<int>(outcome.fault), outcome.fault_address);
    return Timed{outcome, SC_ZERO_TIME};
  };
  constexpr CommandOutcome kIllegal{NPU_FAULT_ILLEGAL_COMMAND, 0};
  const bool vector_queue = (command.engine & NPU_ENGINE_VECTOR_QUEUE) != 0;
  if (command.kind != NPU_COMMAND_NEURAL_ENGINE) return refused(kIllegal, "not a Neural Engine command");
  if ((command.engine & ~NPU_ENGINE_VECTOR_QUEUE) != parameters_.index) {
    return refused(kIllegal, "meant for another engine");
  }
  if (command.flags != 0) return refused(kIllegal, "flags are not 0");
  if (vector_queue && unit_of(command) == Unit::kTensor) {
    return refused(kIllegal, "the vector queue takes no commands of the tensor unit");
  }
  if (waits(command)) vector_unit_.cache().forget_all();

  const base::TensorCoreIdentification core = tensor->identification();
  if (command.opcode == NPU_NE_GEMM) {
    const CommandCheck check = check_gemm(command.u.gemm, parameters_.scratchpad_bytes, core);
    return check.ok() ? run_tensor(command, output_of(command.u.gemm)) : refused(check.outcome, check.reason);
  }
  if (command.opcode == NPU_NE_VECTOR) {
    const CommandCheck check = check_vector(command.u.vector, parameters_.scratchpad_bytes);
    return check.ok() ? vector_unit_.run(command.u.vector) : refused(check.outcome, check.reason);
  }
  const CommandPlan plan = plan_command(command, parameters_.scratchpad_bytes, parameters_.vector_lanes);
  if (!plan.check.ok()) return refused(plan.check.outcome, plan.check.reason);
  if (plan.unit != Unit::kTensor) return vector_unit_.run(command, plan);
  return core.extended ? run_tensor(command, plan.operands[0])
                       : refused(kIllegal, "the tensor core does plain GEMM only");
}

Timed NeuralEngine::run_tensor(const npu_command& command, const Operand& output) {
  Timed result{{}, SC_ZERO_TIME};
  if (command.opcode == NPU_NE_GEMM) {
    result.outcome = tensor->execute(command.u.gemm, result.duration);
  } else {
    result.outcome = tensor->convolve(command.u.convolution, result.duration);
  }
  vector_unit_.cache().forget(output.offset, output.extent);
  return result;
}

void NeuralEngine::count(const npu_command& command, sc_time duration) {
  const Unit unit = unit_of(command);
  busy(unit) += duration;
  if (unit == Unit::kTensor) {
    regs_.GEMM_COMMANDS.set(regs_.GEMM_COMMANDS.get() + 1);
    regs_.MACS.set(regs_.MACS.get() + multiplications(command));
    regs_.TENSOR_BUSY_NS.set(nanoseconds(busy(unit)));
  } else if (unit == Unit::kVector) {
    regs_.VECTOR_COMMANDS.set(regs_.VECTOR_COMMANDS.get() + 1);
    regs_.VECTOR_BUSY_NS.set(nanoseconds(busy(unit)));
  } else {
    regs_.TRANSPOSE_COMMANDS.set(regs_.TRANSPOSE_COMMANDS.get() + 1);
    regs_.TRANSPOSE_BUSY_NS.set(nanoseconds(busy(unit)));
  }
  regs_.CACHE_HIT_BYTES.set(vector_unit_.cache().hit_bytes());
  regs_.CACHE_MISS_BYTES.set(vector_unit_.cache().missed_bytes());
}

}  // namespace npuvp::ne
