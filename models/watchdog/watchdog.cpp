// SPDX-License-Identifier: Apache-2.0
#include "models/watchdog/watchdog.h"

#include <fmt/format.h>

#include <algorithm>

#include "npu/registers/watchdog.h"

namespace npuvp::watchdog {

using sc_core::sc_time;
using sc_core::sc_time_stamp;
using sc_core::SC_US;

namespace {

constexpr uint64_t kMostResets = 0xffff;

sc_time microseconds(uint64_t count) {
  return {static_cast<double>(count), SC_US};
}

}  // namespace

Watchdog::Watchdog(sc_core::sc_module_name name, base::Environment& environment)
    : sc_module(name), registers("registers"), environment_(environment), registers_(environment, sc_module::name()) {
  registers.register_b_transport(this, &Watchdog::b_transport);
  registers.register_transport_dbg(this, &Watchdog::transport_dbg);
  registers_.CONTROL.on_write([this](const base::RegisterWrite& write) {
    const bool was_enabled = (write.before & registers_.CONTROL.ENABLE.mask()) != 0;
    configure(registers_.CONTROL, write);
    if (enabled() && !was_enabled) {
      kick_ = now_;
      asleep_ = false;
      early_passed_ = false;
    }
    schedule();
  });
  for (auto* each : {&registers_.TIMEOUT_US, &registers_.EARLY_US, &registers_.WINDOW_US}) {
    base::Register& changed = *each;
    changed.on_write([this, &changed](const base::RegisterWrite& write) {
      configure(changed, write);
      schedule();
    });
  }
  registers_.KICK.on_write([this](const base::RegisterWrite& write) { kick(write); });
  registers_.STATUS.on_write([this](const base::RegisterWrite&) { early.set(registers_.STATUS.EARLY.get() != 0); });
  registers_.ELAPSED_US.on_read([this](uint64_t) {
    if (!enabled() || asleep_) return uint64_t{0};
    const sc_time now = frozen_ ? frozen_at_ : std::max(now_, sc_time_stamp());  // a debugger's read is no access
    return static_cast<uint64_t>((now - std::min(now, kick_)) / microseconds(1));
  });
  SC_HAS_PROCESS(Watchdog);
  SC_METHOD(fire);
  sensitive << event_;
  dont_initialize();
}

void Watchdog::reset(bool power_on) {
  event_.cancel();
  if (power_on) {
    registers_.reset();
  } else {
    registers_.reset_unless_sticky();
  }
  asleep_ = early_passed_ = false;
  early.set(false);
}

void Watchdog::set_frozen(bool frozen) {
  if (frozen == frozen_) return;
  frozen_ = frozen;
  if (frozen) {
    frozen_at_ = sc_time_stamp();
  } else {
    kick_ += sc_time_stamp() - frozen_at_;
  }
  schedule();
}

void Watchdog::b_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
  now_ = sc_time_stamp() + delay;
  registers_.transport(payload);
}

unsigned Watchdog::transport_dbg(tlm::tlm_generic_payload& payload) {
  return registers_.transport_debug(payload);
}

sc_time Watchdog::timeout() const {
  return microseconds(std::max<uint64_t>(registers_.TIMEOUT_US.get(), 1));
}

sc_time Watchdog::early_time() const {
  return microseconds(registers_.EARLY_US.get());
}

bool Watchdog::has_early() const {
  return registers_.EARLY_US.get() != 0 && early_time() < timeout();
}

void Watchdog::configure(base::Register& changed, const base::RegisterWrite& write) {
  if (registers_.LOCK.LOCKED.get() == 0) return;
  changed.set(write.before);
  environment_.diagnostics().misuse(registers_.name() + "." + changed.info().name, "locked, the write is ignored",
                                    write.origin);
}

void Watchdog::kick(const base::RegisterWrite& write) {
  const uint64_t key = registers_.KICK.KEY.in(write);
  if (key != WATCHDOG_KICK_KEY_KICK && key != WATCHDOG_KICK_KEY_SLEEP) {
    environment_.diagnostics().misuse(registers_.name() + ".KICK", fmt::format("{:#x} is not the key", key),
                                      write.origin);
    return;
  }
  if (!enabled()) return;
  if (registers_.CONTROL.WINDOW.get() != 0 && !asleep_ && now_ < kick_ + microseconds(registers_.WINDOW_US.get())) {
    expire(WATCHDOG_RESETS_LAST_WINDOW);
    return;
  }
  kick_ = frozen_ ? frozen_at_ : now_;
  asleep_ = key == WATCHDOG_KICK_KEY_SLEEP;
  early_passed_ = false;
  registers_.STATUS.EARLY.set(0);
  early.set(false);
  schedule();
}

void Watchdog::expire(uint64_t reason) {
  event_.cancel();
  registers_.RESETS.COUNT.set(std::min(registers_.RESETS.COUNT.get() + 1, kMostResets));
  registers_.RESETS.LAST.set(reason);
  registers_.CONTROL.ENABLE.set(0);
  if (expiry_) expiry_();
}

void Watchdog::schedule() {
  event_.cancel();
  if (!enabled() || asleep_ || frozen_) return;
  const sc_time next = kick_ + (has_early() && !early_passed_ ? early_time() : timeout());
  event_.notify(std::max(next, sc_time_stamp()) - sc_time_stamp());
}

void Watchdog::fire() {
  const sc_time elapsed = sc_time_stamp() - kick_;
  if (elapsed >= timeout()) {
    expire(WATCHDOG_RESETS_LAST_TIMEOUT);
    return;
  }
  early_passed_ = true;
  registers_.STATUS.EARLY.set(1);
  early.set(true);
  schedule();
}

}  // namespace npuvp::watchdog
