// SPDX-License-Identifier: Apache-2.0
#include "models/ne/neural_engine.h"

#include <algorithm>
#include <cmath>

#include "models/arithmetic/arithmetic.h"
#include "models/ne/command_check.h"

namespace npuvp::ne {

using base::CommandOutcome;
using base::ScratchpadPort;
using sc_core::sc_time;
using sc_core::sc_time_stamp;
using sc_core::SC_ZERO_TIME;

namespace {

uint64_t nanoseconds(sc_time time) {
  return static_cast<uint64_t>(time / sc_time(1, sc_core::SC_NS));
}

uint64_t extent(uint32_t rows, uint32_t stride, uint64_t row_bytes) {
  return uint64_t{rows - 1} * stride + row_bytes;
}

CommandOutcome bus_fault(uint64_t offset) {
  return {NPU_FAULT_BUS, NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, offset)};
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
      ticks_per_cycle_(1.0 / (parameters.clock_hz * sc_core::sc_get_time_resolution().to_seconds())) {
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
  tensor_busy_ = vector_busy_ = SC_ZERO_TIME;
  set_identity();
}

/// Every command inside returns at once.
void NeuralEngine::abandon() {
  ++epoch_;
  next_ticket_ = 0;
  serving_ = 0;
  show_work(nullptr);
  abandoned_.notify();
  tensor->reset();
}

/// Tells in the registers whose command is being worked on; null: none.
void NeuralEngine::show_work(const base::CommandRequest* request) {
  regs_.STATUS.BUSY.set(request != nullptr ? 1 : 0);
  regs_.STATUS.ASID.set(request != nullptr ? request->context : 0);
  regs_.COMMAND.set(request != nullptr ? request->index : 0);
}

CommandOutcome NeuralEngine::execute(const base::CommandRequest& request) {
  constexpr CommandOutcome kAbandoned{NPU_FAULT_BUS, 0};
  const npu_command command = *request.command;
  const uint64_t epoch = epoch_;
  if (!wait_for_turn(epoch)) return kAbandoned;

  show_work(&request);
  if (hang_next_) {
    hang_next_ = false;
    while (epoch == epoch_) wait(abandoned_);
    return kAbandoned;
  }
  scratchpad.sideband().context = request.context;
  const Timed done = run(command);
  if (done.duration > SC_ZERO_TIME) wait(done.duration, abandoned_);
  if (epoch != epoch_) return kAbandoned;

  show_work(nullptr);
  ++serving_;
  turn_.notify();
  if (done.outcome.ok()) count(command, done.duration);
  return done.outcome;
}

bool NeuralEngine::wait_for_turn(uint64_t epoch) {
  const uint64_t ticket = next_ticket_++;
  while (epoch == epoch_ && ticket != serving_) wait(turn_ | abandoned_);
  return epoch == epoch_;
}

NeuralEngine::Timed NeuralEngine::run(const npu_command& command) {
  const auto refused = [&](const CommandOutcome& outcome, const char* reason) {
    log_->info("command with tag {} refused: {} (fault {}, address {:#x})", command.tag, reason,
               static_cast<int>(outcome.fault), outcome.fault_address);
    return Timed{outcome, SC_ZERO_TIME};
  };
  constexpr CommandOutcome kIllegal{NPU_FAULT_ILLEGAL_COMMAND, 0};
  if (command.kind != NPU_COMMAND_NEURAL_ENGINE) return refused(kIllegal, "not a Neural Engine command");
  if (command.engine != parameters_.index) return refused(kIllegal, "meant for another engine");
  if (command.flags != 0) return refused(kIllegal, "flags are not 0");

  switch (command.opcode) {
    case NPU_NE_GEMM: {
      const CommandCheck check =
          check_gemm(command.u.gemm, parameters_.scratchpad_bytes, tensor->identification().fp16);
      return check.ok() ? run_gemm(command.u.gemm) : refused(check.outcome, check.reason);
    }
    case NPU_NE_VECTOR: {
      const CommandCheck check = check_vector(command.u.vector, parameters_.scratchpad_bytes);
      return check.ok() ? run_vector(command.u.vector) : refused(check.outcome, check.reason);
    }
    default:
      return refused(kIllegal, "unknown opcode");
  }
}

NeuralEngine::Timed NeuralEngine::run_gemm(const npu_gemm& gemm) {
  Timed result{{}, SC_ZERO_TIME};
  result.outcome = tensor->execute(gemm, result.duration);
  return result;
}

NeuralEngine::Timed NeuralEngine::run_vector(const npu_vector& vector) {
  const CommandOutcome computed = compute_vector(vector);
  if (!computed.ok()) return {computed, SC_ZERO_TIME};

  const uint64_t row_cycles = (vector.n + parameters_.vector_lanes - 1) / parameters_.vector_lanes;
  const uint64_t cycles = parameters_.vector_pipeline_cycles + row_cycles * vector.m;
  const double ticks = static_cast<double>(cycles) * ticks_per_cycle_ * clock.stretch();
  Timed result{{}, sc_time::from_value(static_cast<uint64_t>(std::llround(ticks)))};

  const uint64_t in_row = uint64_t{vector.n} * arithmetic::element_bytes(vector.in_type);
  const uint64_t out_row = uint64_t{vector.n} * arithmetic::element_bytes(vector.out_type);
  const uint64_t parameter_bytes = uint64_t{vector.n} * 4;
  ScratchpadPort::Stream in{vector.in, extent(vector.m, vector.in_stride, in_row)};
  ScratchpadPort::Stream out{vector.out, extent(vector.m, vector.out_stride, out_row)};
  ScratchpadPort::Stream bias{vector.bias, parameter_bytes};
  ScratchpadPort::Stream scale{vector.scale, parameter_bytes};
  const auto pass = [&](bool used, ScratchpadPort::Stream& stream, uint64_t bytes) {
    if (used && result.outcome.ok()) {
      result.outcome = scratchpad.charge_read(stream, bytes, SC_ZERO_TIME, result.duration);
    }
  };
  pass((vector.flags & NPU_VECTOR_BIAS) != 0, bias, parameter_bytes);
  pass((vector.flags & NPU_VECTOR_SCALE) != 0, scale, parameter_bytes);
  pass(true, in, in_row * vector.m);
  if (result.outcome.ok()) {
    result.outcome = scratchpad.charge_write(out, out_row * vector.m, SC_ZERO_TIME, result.duration);
  }
  return result;
}

CommandOutcome NeuralEngine::compute_vector(const npu_vector& vector) {
  using Window = ScratchpadPort::Window;
  const uint64_t in_row = uint64_t{vector.n} * arithmetic::element_bytes(vector.in_type);
  const uint64_t out_row = uint64_t{vector.n} * arithmetic::element_bytes(vector.out_type);
  const uint64_t parameter_bytes = uint64_t{vector.n} * 4;
  const bool has_bias = (vector.flags & NPU_VECTOR_BIAS) != 0;
  const bool has_scale = (vector.flags & NPU_VECTOR_SCALE) != 0;
  Window in(scratchpad, vector.in, extent(vector.m, vector.in_stride, in_row));
  if (!in.valid()) return bus_fault(vector.in);
  Window out(scratchpad, vector.out, extent(vector.m, vector.out_stride, out_row));
  if (!out.valid()) return bus_fault(vector.out);
  // A stage that is off gets a window on IN, which is not read.
  Window bias(scratchpad, has_bias ? vector.bias : vector.in, has_bias ? parameter_bytes : 1);
  if (!bias.valid()) return bus_fault(vector.bias);
  Window scale(scratchpad, has_scale ? vector.scale : vector.in, has_scale ? parameter_bytes : 1);
  if (!scale.valid()) return bus_fault(vector.scale);

  arithmetic::vector_operation({.in = in.data(),
                                .out = out.data(),
                                .bias = bias.data(),
                                .scale = scale.data(),
                                .m = vector.m,
                                .n = vector.n,
                                .in_stride = vector.in_stride,
                                .out_stride = vector.out_stride,
                                .in_type = static_cast<npu_type>(vector.in_type),
                                .out_type = static_cast<npu_type>(vector.out_type),
                                .flags = vector.flags});
  return out.write_back() ? CommandOutcome{} : bus_fault(vector.out);
}

void NeuralEngine::count(const npu_command& command, sc_time duration) {
  if (command.opcode == NPU_NE_GEMM) {
    const npu_gemm& gemm = command.u.gemm;
    tensor_busy_ += duration;
    regs_.GEMM_COMMANDS.set(regs_.GEMM_COMMANDS.get() + 1);
    regs_.MACS.set(regs_.MACS.get() + uint64_t{gemm.m} * gemm.n * gemm.k);
    regs_.TENSOR_BUSY_NS.set(nanoseconds(tensor_busy_));
  } else {
    vector_busy_ += duration;
    regs_.VECTOR_COMMANDS.set(regs_.VECTOR_COMMANDS.get() + 1);
    regs_.VECTOR_BUSY_NS.set(nanoseconds(vector_busy_));
  }
}

}  // namespace npuvp::ne
