// SPDX-License-Identifier: Apache-2.0
#include "models/riscv/hart_cluster.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace npuvp::riscv {

using sc_core::sc_time;
using sc_core::sc_time_stamp;
using sc_core::SC_ZERO_TIME;

/// A hart with its place in time.
struct HartCluster::Slot {
  Slot(BusPort& port, const HartParameters& parameters) : bus(port), hart(bus, parameters) { bus.set_hart(hart); }

  /// Halted, or waiting for an interrupt that is not pending.
  [[nodiscard]] bool idle() const { return halted || (hart.waiting_for_interrupt() && !hart.wakes_from_wfi()); }

  HartBus bus;
  Hart hart;
  sc_time local;           ///< When the hart's next instruction starts, absolute; meaningless while idle.
  bool was_idle = true;    ///< `local` must be set before the next turn.
  bool needs_bus = false;  ///< The next instruction accesses the bus.
  bool halted = false;
  bool running = false;      ///< Inside Hart::run().
  bool halt_wanted = false;  ///< halt() came then.
  bool steps = false;        ///< To be halted after one instruction.
};

HartCluster::HartCluster(const sc_core::sc_module_name& name, const HartClusterParameters& parameters)
    : sc_module(name),
      bus("bus"),
      parameters_(parameters),
      in_reset_(parameters.starts_in_reset),
      reset_seen_(parameters.starts_in_reset) {
  if (parameters_.harts == 0 || parameters_.clock_period == SC_ZERO_TIME ||
      parameters_.quantum < parameters_.clock_period) {
    throw std::invalid_argument("HartCluster needs at least one hart, a clock period and a quantum no shorter than it");
  }
  for (unsigned i = 0; i < parameters_.harts; ++i) {
    const HartParameters hart_parameters{i, parameters_.reset_pc, parameters_.misaligned_access,
                                         parameters_.pmp_granularity_bytes};
    Slot& slot = *harts_.emplace_back(std::make_unique<Slot>(bus, hart_parameters));
    if (parameters_.harts > 1) slot.hart.share_reservations(reservations_);
    slot.hart.set_time_source([this, &slot]() -> uint64_t {
      const auto cycles = static_cast<double>(slot.hart.cycles_into_run());
      return time_source_ ? time_source_(slot.local + parameters_.clock_period * cycles) : 0;
    });
  }
  bus.on_invalidate([this] {
    for (const auto& slot : harts_) slot->hart.flush_direct_memory();
  });
  SC_HAS_PROCESS(HartCluster);
  SC_THREAD(run_harts);
}

HartCluster::~HartCluster() = default;

Hart& HartCluster::hart(unsigned index) {
  return harts_.at(index)->hart;
}
bool HartCluster::halted(unsigned index) const {
  return harts_.at(index)->halted;
}

base::IrqSink HartCluster::interrupt_input(unsigned hart, Interrupt line) {
  return [this, hart, line](bool level) { set_interrupt(hart, line, level); };
}

void HartCluster::set_interrupt(unsigned hart, Interrupt line, bool level) {
  Slot& slot = *harts_.at(hart);
  slot.hart.set_interrupt_pending(line, level);
  if (slot.hart.waiting_for_interrupt() && slot.hart.wakes_from_wfi()) wake_.notify(SC_ZERO_TIME);
}

base::IrqSink HartCluster::reset_input() {
  return [this](bool level) {
    if (level) {
      reset_seen_ = true;
      // A hart that resets its own cluster completes the store and no more.
      for (const auto& slot : harts_) slot->hart.request_halt();
    }
    in_reset_ = level;
    reset_event_.notify(SC_ZERO_TIME);
    wake_.notify(SC_ZERO_TIME);
  };
}

void HartCluster::halt(unsigned index) {
  Slot& slot = *harts_.at(index);
  if (slot.running) {
    slot.halt_wanted = true;
    slot.hart.request_halt();
  } else if (!slot.halted) {
    // Between two instructions, wherever its thread waits.
    slot.halt_wanted = true;
    finish(slot, {StopReason::kHalted, 0});
  }
}

void HartCluster::resume(unsigned index) {
  Slot& slot = *harts_.at(index);
  if (!slot.halted) return;
  slot.halted = false;
  if (on_debug_mode_) on_debug_mode_(index, false);
  wake_.notify(SC_ZERO_TIME);
}

void HartCluster::step(unsigned index) {
  Slot& slot = *harts_.at(index);
  if (!slot.halted) return;
  slot.hart.end_wait();
  slot.steps = true;
  resume(index);
}

sc_time HartCluster::instruction_time(unsigned index) const {
  const Slot& slot = *harts_.at(index);
  if (!slot.running) return slot.local;
  return slot.local + parameters_.clock_period * static_cast<double>(slot.hart.cycles_into_run());
}

void HartCluster::flush() {
  bus.flush_direct();
  for (const auto& slot : harts_) {
    slot->hart.flush_direct_memory();
    slot->hart.invalidate_code();
  }
}

void HartCluster::run_harts() {
  for (;;) {
    handle_reset();
    Slot* const slot = in_reset_ ? nullptr : next_slot();
    if (slot == nullptr) {
      wait(wake_);
    } else if (slot->needs_bus) {
      access_bus(*slot);
    } else {
      take_turn(*slot);
    }
  }
}

void HartCluster::handle_reset() {
  if (!reset_seen_ || in_reset_) return;
  reset_seen_ = false;
  for (const auto& slot : harts_) {
    slot->hart.reset();
    slot->needs_bus = false;
    slot->local = sc_time_stamp();
  }
  if (on_reset_) on_reset_();
}

HartCluster::Slot* HartCluster::next_slot() {
  Slot* next = nullptr;
  for (const auto& slot : harts_) {
    if (slot->idle()) continue;
    if (slot->was_idle) {
      slot->was_idle = false;
      // A WFI may have been reached ahead of simulated time.
      if (slot->local < sc_time_stamp()) {
        const sc_time idle = sc_time_stamp() - slot->local;
        slot->hart.add_idle_cycles(idle.value() / parameters_.clock_period.value());
        slot->local = sc_time_stamp();
      }
    }
    if (next == nullptr || slot->local < next->local) next = slot.get();
  }
  return next;
}

void HartCluster::take_turn(Slot& slot) {
  const sc_time activity = slot.local > sc_time_stamp()
                               ? sc_core::sc_time_to_pending_activity(sc_core::sc_get_curr_simcontext())
                               : time_to_next_activity();
  const sc_time horizon = sc_time_stamp() + std::min(parameters_.quantum, activity);
  if (slot.local >= horizon && slot.local > sc_time_stamp()) {
    wait(slot.local - sc_time_stamp(), reset_event_);
    return;
  }
  if (slot.halted) return;  // by a debugger while this thread yielded
  uint64_t cycles = std::max<uint64_t>(1, cycles_until(slot, horizon));
  for (const auto& other : harts_) {
    if (other.get() == &slot || other->idle()) continue;
    cycles = std::min(cycles, parameters_.interleave_cycles);
    if (other->needs_bus) cycles = std::min(cycles, std::max<uint64_t>(1, cycles_until(slot, other->local)));
  }
  if (slot.steps) cycles = 1;
  finish(slot, run(slot, cycles, BusAccess::kStopBefore));
}

void HartCluster::access_bus(Slot& slot) {
  if (slot.local > sc_time_stamp()) {
    wait(slot.local - sc_time_stamp(), reset_event_);
    return;  // an interrupt, a halt or a reset may have come first
  }
  slot.needs_bus = false;
  finish(slot, run(slot, 1, BusAccess::kAllowed));
  const sc_time delay = slot.bus.take_delay();
  // Targets may also have waited inside the access.
  slot.local = std::max(slot.local, sc_time_stamp()) + delay;
  slot.hart.add_idle_cycles(delay.value() / parameters_.clock_period.value());
}

RunResult HartCluster::run(Slot& slot, uint64_t cycles, BusAccess access) {
  slot.running = true;
  slot.hart.mask_interrupts(slot.steps);
  const RunResult result = slot.hart.run(cycles, access);
  slot.running = false;
  return result;
}

void HartCluster::finish(Slot& slot, const RunResult& result) {
  energy.count(result.cycles, slot.local);
  slot.local += parameters_.clock_period * static_cast<double>(result.cycles);
  slot.needs_bus = result.reason == StopReason::kSync;
  if (result.reason == StopReason::kHalted && reset_seen_ && !slot.halt_wanted) return;
  const bool stepped = slot.steps && result.cycles != 0;
  const bool stopped = stepped || slot.halt_wanted || result.reason == StopReason::kHalted ||
                       result.reason == StopReason::kBreakpoint || result.reason == StopReason::kTrigger;
  if (stopped) {
    slot.halted = true;
    slot.steps = slot.halt_wanted = slot.needs_bus = false;
    const auto index = static_cast<unsigned>(slot.hart.hart_id());
    const bool names_itself = result.reason == StopReason::kBreakpoint || result.reason == StopReason::kTrigger;
    if (on_debug_mode_) on_debug_mode_(index, true);
    if (on_halt_) on_halt_(index, names_itself ? result.reason : StopReason::kHalted);
  }
  slot.was_idle = slot.idle();
}

uint64_t HartCluster::cycles_until(const Slot& slot, const sc_time& limit) const {
  if (limit <= slot.local) return 0;
  // Every instruction that starts before the limit: the quotient rounded up.
  const uint64_t period = parameters_.clock_period.value();
  const uint64_t span = limit.value() - slot.local.value();
  return span / period + (span % period != 0 ? 1 : 0);
}

sc_time HartCluster::time_to_next_activity() {
  sc_core::sc_simcontext* const context = sc_core::sc_get_curr_simcontext();
  sc_time activity = sc_core::sc_time_to_pending_activity(context);
  if (activity != SC_ZERO_TIME) return activity;
  // Whatever else is due now comes first, but only once: two clusters must not yield to each other forever.
  wait(SC_ZERO_TIME);
  activity = sc_core::sc_time_to_pending_activity(context);
  return activity != SC_ZERO_TIME ? activity : parameters_.clock_period;
}

}  // namespace npuvp::riscv
