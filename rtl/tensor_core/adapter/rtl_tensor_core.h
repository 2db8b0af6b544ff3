// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <systemc>

#include "models/base/environment.h"
#include "models/base/scratchpad_port.h"
#include "models/base/tensor_core_port.h"
#include "rtl/tensor_core/adapter/verilated_core.h"

namespace npuvp::rtl_tensor_core {

struct Parameters {
  double clock_hz = 976'562'500;  ///< (u) Same clock as the TLM core, models/tensor_core/tensor_core.h.
  std::string fst_file;           ///< Waveform; needs a build with NPUVP_RTL_TRACE=ON, else not written.
};

/// The SystemVerilog tensor core of rtl/tensor_core, Verilated, in place of models/tensor_core: same results bit for
/// bit for INT8, its own cycle counts. FP16 is not supported (identification, NPU_FAULT_ILLEGAL_COMMAND).
///
/// Sockets: scratchpad (initiator; address = offset in the scratchpad).
/// The model is clocked only while a command runs; cycles become simulated time by clock_hz. Its memory ports never
/// stall: unlike the TLM core's, its traffic does not compete for the scratchpad's bandwidth.
class RtlTensorCore final : public sc_core::sc_module, public base::TensorCoreTarget {
 public:
  RtlTensorCore(sc_core::sc_module_name name, base::Environment& environment, Parameters parameters);

  base::ScratchpadPort scratchpad;

  base::CommandOutcome execute(const npu_gemm& gemm, sc_core::sc_time& delay) override;
  [[nodiscard]] base::TensorCoreIdentification identification() const override;
  void reset() override { core_.reset(); }

  /// Clock cycles of the last command, from its acceptance to done inclusive.
  [[nodiscard]] uint64_t last_cycles() const { return last_cycles_; }
  /// Bytes of A and B read by the last command; strobes keep it to what lies inside the matrices.
  [[nodiscard]] uint64_t last_bytes_read() const { return core_.bytes_read(); }

 private:
  VerilatedCore core_;
  double ticks_per_cycle_;
  uint64_t last_cycles_ = 0;
};

}  // namespace npuvp::rtl_tensor_core
