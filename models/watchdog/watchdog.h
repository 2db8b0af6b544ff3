// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <functional>
#include <systemc>
#include <utility>

#include "models/base/environment.h"
#include "models/base/irq.h"
#include "npuvp/registers/watchdog.h"

namespace npuvp::watchdog {

/// Watchdog with an early interrupt, a lock and a window, on a clock of its own (1 MHz).
///
/// Socket: `registers` (target); accesses take no time of their own. `early`: level-sensitive interrupt.
/// Timing: time-outs are exact from the kick; at most one event is pending, and none while it is off. The vendor's
/// block is not public; this one is ours.
class Watchdog final : public sc_core::sc_module {
 public:
  Watchdog(sc_core::sc_module_name name, base::Environment& environment);

  tlm_utils::simple_target_socket<Watchdog> registers;
  base::IrqLine early;

  /// `handler` resets the card; it may call reset() from inside.
  void on_expiry(std::function<void()> handler) { expiry_ = std::move(handler); }

  /// A debugger has halted the firmware, or lets it go on: the time stands still meanwhile.
  void set_frozen(bool frozen);

  /// The card's reset: off and unlocked. RESETS survives unless `power_on`.
  void reset(bool power_on);

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  void kick(const base::RegisterWrite& write);
  void configure(base::Register& changed, const base::RegisterWrite& write);
  void expire(uint64_t reason);
  void schedule();
  void fire();
  [[nodiscard]] bool enabled() const { return registers_.CONTROL.ENABLE.get() != 0; }
  [[nodiscard]] sc_core::sc_time timeout() const;
  [[nodiscard]] sc_core::sc_time early_time() const;
  [[nodiscard]] bool has_early() const;

  base::Environment& environment_;
  WatchdogRegisters registers_;
  std::function<void()> expiry_;
  sc_core::sc_time now_;   // of the access that is served
  sc_core::sc_time kick_;  // last one
  bool asleep_ = false;    // no time passes until the next kick
  bool early_passed_ = false;
  bool frozen_ = false;
  sc_core::sc_time frozen_at_;
  sc_core::sc_event event_;
};

}  // namespace npuvp::watchdog
