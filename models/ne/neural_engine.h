// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <systemc>

#include "models/base/clock.h"
#include "models/base/command_port.h"
#include "models/base/environment.h"
#include "models/base/scratchpad_port.h"
#include "models/base/tensor_core_port.h"
#include "models/ne/parameters.h"
#include "models/ne/vector_unit.h"
#include "npuvp/registers/ne.h"

namespace npuvp::ne {

/// Neural Engine: checks commands, hands those of the tensor unit to the tensor core behind it and does those of the
/// vector and transpose units itself.
///
/// Sockets and ports: commands (this module is the base::CommandTarget), registers (target), scratchpad (initiator;
/// address = offset in the scratchpad), tensor (port to the tensor core, TLM or RTL).
/// Timing: each unit does one command at a time, in order of arrival; the units work side by side. The vector unit
/// takes vector_pipeline_cycles and a cycle or more for each group of vector_lanes elements of a row, or as long as the
/// scratchpad needs to pass the operands, whichever is longer: README.md.
class NeuralEngine final : public sc_core::sc_module, public base::CommandTarget {
 public:
  NeuralEngine(sc_core::sc_module_name name, base::Environment& environment, Parameters parameters);

  tlm_utils::simple_target_socket<NeuralEngine> registers;
  base::ScratchpadPort scratchpad;
  base::TensorCorePort tensor;

  /// What the vector and transpose units take; the tensor core has a tap and a clock of its own.
  base::PowerTap& power() { return vector_unit_.power; }
  base::ClockInput& clock() { return vector_unit_.clock; }

  /// Returns when the command's writes are visible; on a fault the contents of its output are undefined. A command
  /// that reset() abandons returns at once with NPU_FAULT_BUS and is not counted.
  base::CommandOutcome execute(const base::CommandRequest& request) override;

  void reset();

  /// Fault injection: the next command never ends, until a reset abandons it.
  void hang_next_command() { hang_next_ = true; }

 private:
  /// A command in a unit.
  struct Work {
    uint64_t serial;  ///< Counts the commands of all units.
    uint16_t context;
    uint32_t index;  ///< In its stream.
  };
  /// Commands that have come to a unit and commands that it has done: who comes first is served first.
  struct Line {
    uint64_t next = 0;
    uint64_t serving = 0;
    std::optional<Work> work;
  };

  void end_of_elaboration() override;
  void registers_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned registers_debug(tlm::tlm_generic_payload& payload);
  void set_identity();
  void abandon();
  void show_work();
  Timed run(const npu_command& command);
  Timed run_tensor(const npu_command& command, const Operand& output);
  void count(const npu_command& command, sc_core::sc_time duration);
  /// False: a reset came first.
  bool wait_for_turn(Unit unit, uint64_t epoch);
  Line& line(Unit unit) { return lines_[static_cast<size_t>(unit)]; }
  sc_core::sc_time& busy(Unit unit) { return busy_[static_cast<size_t>(unit)]; }

  Parameters parameters_;
  std::shared_ptr<spdlog::logger> log_;
  NeRegisters regs_;
  VectorUnit vector_unit_;

  uint64_t epoch_ = 0;                      // counts resets
  uint64_t started_ = 0;                    // commands
  std::array<Line, 3> lines_{};             // by Unit
  std::array<sc_core::sc_time, 3> busy_{};  // by Unit
  bool hang_next_ = false;
  sc_core::sc_event turn_;
  sc_core::sc_event abandoned_;
};

}  // namespace npuvp::ne
