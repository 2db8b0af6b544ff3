// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <memory>
#include <systemc>

#include "models/base/clock.h"
#include "models/base/command_port.h"
#include "models/base/environment.h"
#include "models/base/scratchpad_port.h"
#include "models/base/tensor_core_port.h"
#include "npuvp/registers/ne.h"

namespace npuvp::ne {

struct Parameters {
  uint8_t index = 0;                            ///< Number of this engine on its card.
  uint64_t scratchpad_bytes = 4 * 1024 * 1024;  ///< 64 MB on chip = 8 x 4 MB + 32 MB shared (published for ATOM).
  double clock_hz = 976'562'500;                ///< As the tensor core's, models/tensor_core/tensor_core.h.
  unsigned vector_lanes = 64;                   ///< (u) Elements per cycle of the vector unit.
  unsigned vector_pipeline_cycles = 16;         ///< (u) From the first element read to its result written.
};

/// Neural Engine: checks GEMM and VECTOR commands, hands GEMM to the tensor core behind it and does VECTOR itself.
///
/// Sockets and ports: commands (this module is the base::CommandTarget), registers (target), scratchpad (initiator;
/// address = offset in the scratchpad), tensor (port to the tensor core, TLM or RTL).
/// Timing: one command at a time, in order of arrival. VECTOR takes vector_pipeline_cycles + ceil(n / vector_lanes) * m
/// cycles or as long as the scratchpad needs to pass its operands once, whichever is longer. Arithmetic: README.md.
class NeuralEngine final : public sc_core::sc_module, public base::CommandTarget {
 public:
  NeuralEngine(sc_core::sc_module_name name, base::Environment& environment, Parameters parameters);

  tlm_utils::simple_target_socket<NeuralEngine> registers;
  base::ScratchpadPort scratchpad;
  base::TensorCorePort tensor;
  base::ClockInput clock;  ///< Stretches VECTOR commands; the tensor core has its own input.

  /// Returns when the command's writes are visible; on a fault the contents of its output are undefined. A command
  /// that reset() abandons returns at once with NPU_FAULT_BUS and is not counted.
  base::CommandOutcome execute(const base::CommandRequest& request) override;

  void reset();

  /// Fault injection: the next command never ends, until a reset abandons it.
  void hang_next_command() { hang_next_ = true; }

 private:
  struct Timed {
    base::CommandOutcome outcome;
    sc_core::sc_time duration;
  };

  void end_of_elaboration() override;
  void registers_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned registers_debug(tlm::tlm_generic_payload& payload);
  void set_identity();
  void abandon();
  void show_work(const base::CommandRequest* request);
  Timed run(const npu_command& command);
  Timed run_gemm(const npu_gemm& gemm);
  Timed run_vector(const npu_vector& vector);
  base::CommandOutcome compute_vector(const npu_vector& vector);
  void count(const npu_command& command, sc_core::sc_time duration);
  /// False: a reset came first.
  bool wait_for_turn(uint64_t epoch);

  Parameters parameters_;
  std::shared_ptr<spdlog::logger> log_;
  NeRegisters regs_;
  double ticks_per_cycle_;

  uint64_t epoch_ = 0;  // counts resets
  uint64_t next_ticket_ = 0;
  uint64_t serving_ = 0;
  bool hang_next_ = false;
  sc_core::sc_event turn_;
  sc_core::sc_event abandoned_;
  sc_core::sc_time tensor_busy_;
  sc_core::sc_time vector_busy_;
};

}  // namespace npuvp::ne
