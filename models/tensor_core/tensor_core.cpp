// SPDX-License-Identifier: Apache-2.0
#include "models/tensor_core/tensor_core.h"

#include <algorithm>
#include <cmath>

#include "models/arithmetic/arithmetic.h"

namespace npuvp::tensor_core {

using base::CommandOutcome;
using base::ScratchpadPort;
using sc_core::sc_time;

namespace {

constexpr uint64_t kSumBytes = 4;  // INT32 or FP32

uint64_t extent(uint32_t rows, uint32_t stride, uint64_t row_bytes) {
  return uint64_t{rows - 1} * stride + row_bytes;
}

CommandOutcome bus_fault(uint32_t offset) {
  return {NPU_FAULT_BUS, NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, offset)};
}

/// A GEMM cut into tiles of the array, k innermost: the sums of one strip of columns stay in the accumulators.
struct Tiling {
  Tiling(const npu_gemm& gemm, const ArrayShape& array) : gemm_(gemm), array_(array) {}

  [[nodiscard]] uint64_t strips() const { return (gemm_.n + array_.columns - 1) / array_.columns; }
  [[nodiscard]] uint64_t tiles_per_strip() const { return (gemm_.k + array_.rows - 1) / array_.rows; }
  [[nodiscard]] uint64_t tiles() const { return strips() * tiles_per_strip(); }
  [[nodiscard]] uint64_t tile_columns(uint64_t tile) const {
    return std::min<uint64_t>(array_.columns, gemm_.n - tile / tiles_per_strip() * array_.columns);
  }
  [[nodiscard]] uint64_t tile_rows(uint64_t tile) const {
    return std::min<uint64_t>(array_.rows, gemm_.k - tile % tiles_per_strip() * array_.rows);
  }
  [[nodiscard]] bool starts_strip(uint64_t tile) const { return tile % tiles_per_strip() == 0; }
  [[nodiscard]] bool ends_strip(uint64_t tile) const { return (tile + 1) % tiles_per_strip() == 0; }

 private:
  const npu_gemm& gemm_;
  const ArrayShape& array_;
};

}  // namespace

TensorCore::TensorCore(sc_core::sc_module_name name, base::Environment& /*environment*/, Parameters parameters)
    : sc_module(name),
      scratchpad("scratchpad"),
      parameters_(parameters),
      ticks_per_cycle_(1.0 / (parameters.clock_hz * sc_core::sc_get_time_resolution().to_seconds())) {
  sc_assert(parameters.clock_hz > 0 && parameters.int8.rows > 0 && parameters.int8.columns > 0 &&
            parameters.fp16.rows > 0 && parameters.fp16.columns > 0);
}

base::TensorCoreIdentification TensorCore::identification() const {
  return {.rows = parameters_.int8.rows, .columns = parameters_.int8.columns, .fp16 = true};
}

CommandOutcome TensorCore::execute(const npu_gemm& gemm, sc_time& delay) {
  const CommandOutcome computed = compute(gemm);
  if (!computed.ok()) return computed;
  return pass_time(gemm, gemm.type == NPU_TYPE_INT8 ? parameters_.int8 : parameters_.fp16, delay);
}

CommandOutcome TensorCore::compute(const npu_gemm& gemm) {
  const uint64_t element = arithmetic::element_bytes(gemm.type);
  using Window = ScratchpadPort::Window;
  Window a(scratchpad, gemm.a, extent(gemm.m, gemm.a_stride, gemm.k * element));
  if (!a.valid()) return bus_fault(gemm.a);
  Window b(scratchpad, gemm.b, extent(gemm.k, gemm.b_stride, gemm.n * element));
  if (!b.valid()) return bus_fault(gemm.b);
  Window c(scratchpad, gemm.c, extent(gemm.m, gemm.c_stride, gemm.n * kSumBytes));
  if (!c.valid()) return bus_fault(gemm.c);

  const arithmetic::GemmOperands operands{.a = a.data(),
                                          .b = b.data(),
                                          .c = c.data(),
                                          .m = gemm.m,
                                          .n = gemm.n,
                                          .k = gemm.k,
                                          .a_stride = gemm.a_stride,
                                          .b_stride = gemm.b_stride,
                                          .c_stride = gemm.c_stride,
                                          .accumulate = gemm.accumulate != 0};
  if (gemm.type == NPU_TYPE_INT8) {
    arithmetic::gemm_int8(operands);
  } else {
    arithmetic::gemm_fp16(operands);
  }
  return c.write_back() ? CommandOutcome{} : bus_fault(gemm.c);
}

CommandOutcome TensorCore::pass_time(const npu_gemm& gemm, const ArrayShape& shape, sc_time& delay) {
  const Tiling tiling(gemm, shape);
  const uint64_t element = arithmetic::element_bytes(gemm.type);
  const uint64_t c_extent = extent(gemm.m, gemm.c_stride, gemm.n * kSumBytes);
  ScratchpadPort::Stream a{gemm.a, extent(gemm.m, gemm.a_stride, gemm.k * element)};
  ScratchpadPort::Stream b{gemm.b, extent(gemm.k, gemm.b_stride, gemm.n * element)};
  ScratchpadPort::Stream c_in{gemm.c, c_extent};
  ScratchpadPort::Stream c_out{gemm.c, c_extent};
  const auto weight_bytes = [&](uint64_t tile) { return tiling.tile_rows(tile) * tiling.tile_columns(tile) * element; };

  sc_time end = delay + cycles(shape.rows);
  CommandOutcome outcome = scratchpad.charge_read(b, weight_bytes(0), delay, end);
  for (uint64_t tile = 0; tile < tiling.tiles() && outcome.ok(); ++tile) {
    const sc_time begin = end;
    const uint64_t sum_bytes = gemm.m * tiling.tile_columns(tile) * kSumBytes;
    end = begin + cycles(std::max<uint64_t>(gemm.m, shape.rows));
    outcome = scratchpad.charge_read(a, gemm.m * tiling.tile_rows(tile) * element, begin, end);
    if (outcome.ok() && tile + 1 < tiling.tiles())
      outcome = scratchpad.charge_read(b, weight_bytes(tile + 1), begin, end);
    if (outcome.ok() && gemm.accumulate != 0 && tiling.starts_strip(tile)) {
      outcome = scratchpad.charge_read(c_in, sum_bytes, begin, end);
    }
    if (outcome.ok() && tiling.ends_strip(tile)) outcome = scratchpad.charge_write(c_out, sum_bytes, begin, end);
  }
  delay = end + cycles(uint64_t{shape.rows} + shape.columns);
  return outcome;
}

sc_time TensorCore::cycles(uint64_t count) const {
  return sc_time::from_value(
      static_cast<uint64_t>(std::llround(static_cast<double>(count) * ticks_per_cycle_ * clock.stretch())));
}

}  // namespace npuvp::tensor_core
