// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <systemc>
#include <vector>

#include "models/base/irq.h"
#include "models/base/power_meter.h"
#include "models/riscv/bus_port.h"
#include "models/riscv/hart.h"

namespace npuvp::riscv {

struct HartClusterParameters {
  unsigned harts = 1;  ///< Hart ids 0 .. harts - 1.
  sc_core::sc_time clock_period{1, sc_core::SC_NS};
  sc_core::sc_time quantum{10, sc_core::SC_US};  ///< Harts never run further ahead of simulated time than this.
  uint64_t interleave_cycles = 200;              ///< With several harts: length of one hart's turn.
  uint64_t reset_pc = 0;
  bool misaligned_access = false;
  unsigned pmp_granularity_bytes = 4;
  bool starts_in_reset = false;
};

/// RISC-V harts behind one bus port, one cycle an instruction plus the time its bus accesses take.
///
/// Time: a hart runs ahead of simulated time, but never past the next pending event of the kernel. Nothing else can
/// happen before that event, so interrupts act at their exact time and the quantum changes nothing but speed. A bus
/// access (memory reached directly is none) is made only when simulated time has reached it. A cluster whose harts all
/// wait for interrupts has no events. Several harts take turns, the one furthest behind first: bus accesses are in
/// order of time among them, and an interrupt from one hart to another can be late by at most one turn.
class HartCluster final : public sc_core::sc_module {
 public:
  HartCluster(const sc_core::sc_module_name& name, const HartClusterParameters& parameters);
  ~HartCluster() override;

  /// Towards the card's bus. Each access carries Origin {kHart, hart id, pc}.
  BusPort bus;
  base::EnergyCounter energy;  ///< Of each instruction; waiting takes none.

  /// Input of one interrupt line of one hart. Call before or during simulation.
  [[nodiscard]] base::IrqSink interrupt_input(unsigned hart, Interrupt line);
  /// Reset of all harts, active high: held while high, started at the reset pc when it falls.
  [[nodiscard]] base::IrqSink reset_input();

  /// Value of the time CSR at a simulated time, which may lie ahead of sc_time_stamp(); normally the ACLINT's mtime.
  void set_time_source(std::function<uint64_t(const sc_core::sc_time& at)> source) { time_source_ = std::move(source); }

  [[nodiscard]] unsigned hart_count() const { return static_cast<unsigned>(harts_.size()); }
  [[nodiscard]] Hart& hart(unsigned index);

  // For debuggers.
  /// The hart stops before its next instruction: at once, unless it is in the middle of a bus access. It stays halted
  /// over a reset.
  void halt(unsigned index);
  void resume(unsigned index);
  /// The halted hart executes one instruction, takes no interrupt and is halted again. A WFI ends at once.
  void step(unsigned index);
  [[nodiscard]] bool halted(unsigned index) const;
  /// Called when a hart has stopped at a breakpoint, at a trigger or because of halt().
  void on_halt(std::function<void(unsigned hart, StopReason reason)> handler) { on_halt_ = std::move(handler); }
  /// Output of each hart: whether a debugger holds it, for what must stand still meanwhile.
  void on_debug_mode(std::function<void(unsigned hart, bool held)> output) { on_debug_mode_ = std::move(output); }
  /// Called when all harts have been reset.
  void on_reset(std::function<void()> handler) { on_reset_ = std::move(handler); }
  /// When a hart's current instruction starts; for observers, and for a hart that is halted.
  [[nodiscard]] sc_core::sc_time instruction_time(unsigned index) const;
  [[nodiscard]] const sc_core::sc_time& clock_period() const { return parameters_.clock_period; }
  /// Memory may have changed under the harts: forget decoded code and host pointers.
  void flush();

 private:
  struct Slot;

  void run_harts();
  void handle_reset();
  [[nodiscard]] Slot* next_slot();
  void take_turn(Slot& slot);
  void access_bus(Slot& slot);
  [[nodiscard]] RunResult run(Slot& slot, uint64_t cycles, BusAccess access);
  void finish(Slot& slot, const RunResult& result);
  [[nodiscard]] uint64_t cycles_until(const Slot& slot, const sc_core::sc_time& limit) const;
  [[nodiscard]] sc_core::sc_time time_to_next_activity();
  void set_interrupt(unsigned hart, Interrupt line, bool level);

  HartClusterParameters parameters_;
  Reservations reservations_;  ///< Of all harts.
  std::vector<std::unique_ptr<Slot>> harts_;
  std::function<uint64_t(const sc_core::sc_time&)> time_source_;
  std::function<void(unsigned, StopReason)> on_halt_;
  std::function<void(unsigned, bool)> on_debug_mode_;
  std::function<void()> on_reset_;
  sc_core::sc_event wake_;
  sc_core::sc_event reset_event_;  ///< Ends the wait for an access that takes long.
  bool in_reset_;
  bool reset_seen_;
};

}  // namespace npuvp::riscv
