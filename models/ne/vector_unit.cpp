// SPDX-License-Identifier: Apache-2.0
#include "models/ne/vector_unit.h"

#include <cmath>
#include <cstring>
#include <deque>

#include "models/arithmetic/arithmetic.h"
#include "models/arithmetic/vector_unit.h"

namespace npuvp::ne {

using base::CommandOutcome;
using base::ScratchpadPort;
using sc_core::sc_time;
using sc_core::SC_ZERO_TIME;

namespace {

uint64_t extent(uint32_t rows, uint32_t stride, uint64_t row_bytes) {
  return uint64_t{rows - 1} * stride + row_bytes;
}

CommandOutcome bus_fault(uint64_t offset) {
  return {NPU_FAULT_BUS, NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, offset)};
}

}  // namespace

VectorUnit::VectorUnit(ScratchpadPort& scratchpad, const Parameters& parameters)
    : scratchpad_(scratchpad),
      parameters_(parameters),
      ticks_per_cycle_(1.0 / (parameters.clock_hz * sc_core::sc_get_time_resolution().to_seconds())),
      cache_(parameters.cache_bytes) {}

Timed VectorUnit::run(const npu_vector& vector) {
  if (parameters_.compute) {
    const CommandOutcome computed = compute(vector);
    if (!computed.ok()) return {computed, SC_ZERO_TIME};
  }

  const uint64_t row_cycles = (vector.n + parameters_.vector_lanes - 1) / parameters_.vector_lanes;
  Timed result{{}, cycles(parameters_.vector_pipeline_cycles + row_cycles * vector.m)};

  const uint64_t in_row = uint64_t{vector.n} * arithmetic::element_bytes(vector.in_type);
  const uint64_t out_row = uint64_t{vector.n} * arithmetic::element_bytes(vector.out_type);
  const uint64_t parameter_bytes = uint64_t{vector.n} * 4;
  const auto parameter = [&](const char* name, uint64_t offset) {
    return Operand{name, offset, parameter_bytes, parameter_bytes, parameter_bytes};
  };
  if ((vector.flags & NPU_VECTOR_BIAS) != 0) fetch(parameter("bias", vector.bias), result);
  if ((vector.flags & NPU_VECTOR_SCALE) != 0) fetch(parameter("scale", vector.scale), result);
  fetch({.name = "IN",
         .offset = vector.in,
         .extent = extent(vector.m, vector.in_stride, in_row),
         .unique = in_row * (vector.in_stride == 0 ? 1 : vector.m),
         .traffic = in_row * vector.m},
        result);
  store({.name = "OUT",
         .offset = vector.out,
         .extent = extent(vector.m, vector.out_stride, out_row),
         .traffic = out_row * vector.m,
         .output = true},
        result);
  spend(uint64_t{vector.m} * vector.n, result.duration);
  return result;
}

void VectorUnit::fetch(const Operand& operand, Timed& command) {
  if (!command.outcome.ok()) return;
  ScratchpadPort::Stream stream{operand.offset, operand.extent};
  const uint64_t bytes = cache_.fetch(operand.offset, operand.extent, operand.unique, operand.traffic);
  command.outcome = scratchpad_.charge_read(stream, bytes, SC_ZERO_TIME, command.duration);
  if (!command.outcome.ok()) cache_.forget(operand.offset, operand.extent);  // it has not come
}

void VectorUnit::store(const Operand& operand, Timed& command) {
  if (!command.outcome.ok()) return;
  ScratchpadPort::Stream stream{operand.offset, operand.extent};
  command.outcome = scratchpad_.charge_write(stream, operand.traffic, SC_ZERO_TIME, command.duration);
  cache_.forget(operand.offset, operand.extent);
}

CommandOutcome VectorUnit::compute(const npu_vector& vector) {
  using Window = ScratchpadPort::Window;
  const uint64_t in_row = uint64_t{vector.n} * arithmetic::element_bytes(vector.in_type);
  const uint64_t out_row = uint64_t{vector.n} * arithmetic::element_bytes(vector.out_type);
  const uint64_t parameter_bytes = uint64_t{vector.n} * 4;
  const bool has_bias = (vector.flags & NPU_VECTOR_BIAS) != 0;
  const bool has_scale = (vector.flags & NPU_VECTOR_SCALE) != 0;
  Window in(scratchpad_, vector.in, extent(vector.m, vector.in_stride, in_row));
  if (!in.valid()) return bus_fault(vector.in);
  Window out(scratchpad_, vector.out, extent(vector.m, vector.out_stride, out_row));
  if (!out.valid()) return bus_fault(vector.out);
  // A stage that is off gets a window on IN, which is not read.
  Window bias(scratchpad_, has_bias ? vector.bias : vector.in, has_bias ? parameter_bytes : 1);
  if (!bias.valid()) return bus_fault(vector.bias);
  Window scale(scratchpad_, has_scale ? vector.scale : vector.in, has_scale ? parameter_bytes : 1);
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

Timed VectorUnit::run(const npu_command& command, const CommandPlan& plan) {
  if (parameters_.compute) {
    const CommandOutcome computed = compute(command, plan);
    if (!computed.ok()) return {computed, SC_ZERO_TIME};
  }
  Timed result{{}, cycles(parameters_.vector_pipeline_cycles + plan.groups * plan.passes)};
  for (const Operand& operand : plan.all()) {
    if (!operand.output) fetch(operand, result);
  }
  for (const Operand& operand : plan.all()) {
    if (operand.output) store(operand, result);
  }
  spend(plan.operations, result.duration);
  return result;
}

void VectorUnit::spend(uint64_t operations, sc_time duration) const {
  const sc_time now = sc_core::sc_time_stamp();
  power.spend(static_cast<double>(operations) * parameters_.joules_per_vector_element, now, now + duration);
}

CommandOutcome VectorUnit::compute(const npu_command& command, const CommandPlan& plan) {
  std::deque<ScratchpadPort::Window> windows;
  std::array<uint8_t*, 4> data{};  // by operand of the plan
  for (const Operand& operand : plan.all()) {
    auto& window = windows.emplace_back(scratchpad_, operand.offset, operand.extent);
    if (!window.valid()) return bus_fault(operand.offset);
    data[windows.size() - 1] = window.data();
  }
  switch (command.opcode) {
    case NPU_NE_ELEMENTWISE: {
      const npu_elementwise& c = command.u.elementwise;
      const bool immediate_b = (c.flags & NPU_ELEMENTWISE_IMMEDIATE_B) != 0;
      arithmetic::elementwise(c, {data[0], data[1], immediate_b ? nullptr : data[2], data[immediate_b ? 2 : 3]});
      break;
    }
    case NPU_NE_REDUCE:
      arithmetic::reduce(command.u.reduce, data[0], data[1]);
      break;
    case NPU_NE_SOFTMAX:
      arithmetic::softmax(command.u.softmax, data[0], data[1]);
      break;
    case NPU_NE_NORMALIZE: {
      const bool gamma = (command.u.normalize.flags & NPU_NORMALIZE_GAMMA) != 0;
      arithmetic::normalize(command.u.normalize, data[0], data[1], data[2], data[gamma ? 3 : 2]);
      break;
    }
    case NPU_NE_ROTARY:
      arithmetic::rotary(command.u.rotary, data[0], data[1], data[2], data[3]);
      break;
    case NPU_NE_GATHER:
    case NPU_NE_SCATTER: {
      const CommandOutcome indices = check_indices(command.u.gather, data[2]);
      if (!indices.ok()) return indices;
      if (command.opcode == NPU_NE_GATHER) {
        arithmetic::gather(command.u.gather, data[0], data[1], data[2]);
      } else {
        arithmetic::scatter(command.u.gather, data[1], data[0], data[2]);
      }
      break;
    }
    case NPU_NE_TOP_K:
      arithmetic::top_k(command.u.top_k, data[2], data[0], data[1]);
      break;
    default:
      arithmetic::transpose(command.u.transpose, data[0], data[1]);
  }
  for (size_t i = 0; i < windows.size(); ++i) {
    if (plan.operands[i].output && !windows[i].write_back()) return bus_fault(plan.operands[i].offset);
  }
  return {};
}

CommandOutcome VectorUnit::check_indices(const npu_gather& gather, const uint8_t* index) const {
  for (uint32_t i = 0; i < gather.rows; ++i) {
    int32_t value;
    std::memcpy(&value, index + size_t{i} * 4, 4);
    if (arithmetic::table_row(value, gather.table_rows) < 0) {
      return {NPU_FAULT_ADDRESS, NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, gather.index + uint64_t{i} * 4)};
    }
  }
  return {};
}

sc_time VectorUnit::cycles(uint64_t count) const {
  return sc_time::from_value(
      static_cast<uint64_t>(std::llround(static_cast<double>(count * clock.stretch()) * ticks_per_cycle_)));
}

}  // namespace npuvp::ne
