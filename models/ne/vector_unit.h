// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>

#include "models/base/clock.h"
#include "models/base/power_meter.h"
#include "models/base/scratchpad_port.h"
#include "models/ne/command_plan.h"
#include "models/ne/neural_cache.h"
#include "models/ne/parameters.h"

namespace npuvp::ne {

/// What a command did and how long it takes.
struct Timed {
  base::CommandOutcome outcome;
  sc_core::sc_time duration;
};

/// The vector and transpose units of one engine: contents and time of commands that have been checked.
class VectorUnit {
 public:
  VectorUnit(base::ScratchpadPort& scratchpad, const Parameters& parameters);

  Timed run(const npu_vector& vector);
  /// From ELEMENTWISE on, with the plan of command_plan.h.
  Timed run(const npu_command& command, const CommandPlan& plan);

  base::PowerTap power;
  base::ClockInput clock;  ///< Stretches the units' cycles.

  [[nodiscard]] NeuralCache& cache() { return cache_; }

 private:
  base::CommandOutcome compute(const npu_vector& vector);
  base::CommandOutcome compute(const npu_command& command, const CommandPlan& plan);
  base::CommandOutcome check_indices(const npu_gather& gather, const uint8_t* index) const;
  /// An input's way through the cache, an output's past it; nothing if the command has failed.
  void fetch(const Operand& operand, Timed& command);
  void store(const Operand& operand, Timed& command);
  void spend(uint64_t operations, sc_core::sc_time duration) const;
  [[nodiscard]] sc_core::sc_time cycles(uint64_t count) const;

  base::ScratchpadPort& scratchpad_;
  const Parameters parameters_;
  double ticks_per_cycle_;
  NeuralCache cache_;
};

}  // namespace npuvp::ne
