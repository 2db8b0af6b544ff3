// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <array>
#include <cstdint>
#include <systemc>

#include "models/base/environment.h"
#include "models/base/irq.h"
#include "npuvp/registers/timer.h"

namespace npuvp::timer {

/// Four down-counting timers, one-shot or periodic, each with a prescaler.
///
/// Socket: `registers` (target); accesses take no time of their own. `interrupt`: level-sensitive, any EXPIRED bit
/// whose timer has IRQ_ENABLE. Timing: exact from the start. Counts are computed when they are read; an event is
/// pending only for a timer that would raise the line, so a periodic timer whose interrupt nobody takes costs nothing.
/// The vendor's block is not public; this one is ours.
class Timer final : public sc_core::sc_module {
 public:
  static constexpr unsigned kTimers = 4;

  struct Parameters {
    sc_core::sc_time clock_period{1, sc_core::SC_NS};
  };

  Timer(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);

  tlm_utils::simple_target_socket<Timer> registers;
  base::IrqLine interrupt;

  void reset();

 private:
  struct Channel {
    sc_core::sc_time start;  // of the present period
    sc_core::sc_time tick;   // prescaled
    uint64_t load = 1;       // of the present period
    [[nodiscard]] sc_core::sc_time end() const { return start + sc_core::sc_time::from_value(tick.value() * load); }
  };

  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  void control(unsigned index, const base::RegisterWrite& write);
  [[nodiscard]] uint64_t left(unsigned index) const;
  [[nodiscard]] bool runs(unsigned index) const;
  [[nodiscard]] uint64_t load(unsigned index) const;
  /// Lets every timer expire that does so at or before `at`.
  void advance(sc_core::sc_time at);
  void update();
  void fire();

  const sc_core::sc_time clock_period_;
  TimerRegisters registers_;
  std::array<Channel, kTimers> channels_;
  sc_core::sc_time now_;  // of the access that is served
  sc_core::sc_event event_;
};

}  // namespace npuvp::timer
