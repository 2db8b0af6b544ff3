// SPDX-License-Identifier: Apache-2.0
#include "rtl/tensor_core/adapter/rtl_tensor_core.h"

#include <cmath>

namespace npuvp::rtl_tensor_core {

using base::CommandOutcome;

namespace {

CommandOutcome bus_fault(uint32_t offset) {
  return {NPU_FAULT_BUS, NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, offset)};
}

}  // namespace

RtlTensorCore::RtlTensorCore(sc_core::sc_module_name name, base::Environment& /*environment*/, Parameters parameters)
    : sc_module(name),
      scratchpad("scratchpad"),
      core_(parameters.fst_file),
      ticks_per_cycle_(1.0 / (parameters.clock_hz * sc_core::sc_get_time_resolution().to_seconds())) {
  sc_assert(parameters.clock_hz > 0);
}

base::TensorCoreIdentification RtlTensorCore::identification() const {
  return {.rows = VerilatedCore::kRows, .columns = VerilatedCore::kColumns, .fp16 = false};
}

CommandOutcome RtlTensorCore::execute(const npu_gemm& gemm, sc_core::sc_time& delay) {
  if (gemm.type != NPU_TYPE_INT8) return {NPU_FAULT_ILLEGAL_COMMAND, 0};
  const uint64_t a_bytes = uint64_t{gemm.m - 1} * gemm.a_stride + gemm.k;
  const uint64_t b_bytes = uint64_t{gemm.k - 1} * gemm.b_stride + gemm.n;
  const uint64_t c_bytes = uint64_t{gemm.m - 1} * gemm.c_stride + uint64_t{gemm.n} * 4;
  base::ScratchpadPort::Window a(scratchpad, gemm.a, a_bytes);
  if (!a.valid()) return bus_fault(gemm.a);
  base::ScratchpadPort::Window b(scratchpad, gemm.b, b_bytes);
  if (!b.valid()) return bus_fault(gemm.b);
  base::ScratchpadPort::Window c(scratchpad, gemm.c, c_bytes);
  if (!c.valid()) return bus_fault(gemm.c);

  last_cycles_ = core_.run(
      gemm, {.a = {a.data(), gemm.a, a_bytes}, .b = {b.data(), gemm.b, b_bytes}, .c = {c.data(), gemm.c, c_bytes}});
  const double ticks = static_cast<double>(last_cycles_) * ticks_per_cycle_;
  delay += sc_core::sc_time::from_value(static_cast<uint64_t>(std::llround(ticks)));
  return c.write_back() ? CommandOutcome{} : bus_fault(gemm.c);
}

}  // namespace npuvp::rtl_tensor_core
