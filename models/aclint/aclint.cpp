// SPDX-License-Identifier: Apache-2.0
#include "models/aclint/aclint.h"

#include <algorithm>
#include <limits>

namespace npuvp::aclint {
namespace {

/// Simulated time units of one mtime tick.
uint64_t units_per_tick() {
  return sc_core::sc_time(1, sc_core::SC_NS).value();
}

}  // namespace

Aclint::Aclint(const sc_core::sc_module_name& name, base::Environment& environment)
    : sc_module(name), socket("socket"), registers(environment, std::string(this->name())) {
  socket.register_b_transport(this, &Aclint::b_transport);
  socket.register_transport_dbg(this, &Aclint::transport_dbg);
  for (auto& msip : registers.MSIP) msip.on_write([this](const base::RegisterWrite&) { update(); });
  for (auto& mtimecmp : registers.MTIMECMP) mtimecmp.on_write([this](const base::RegisterWrite&) { update(); });
  registers.MTIME.on_read([this](uint64_t) { return mtime_at(access_time_); });
  registers.MTIME.on_write([this](const base::RegisterWrite& write) {
    write_mtime((mtime_at(access_time_) & ~write.mask) | (write.written & write.mask));
  });

  SC_HAS_PROCESS(Aclint);
  SC_METHOD(update);
  sensitive << comparator_;
  dont_initialize();
}

uint64_t Aclint::mtime_at(const sc_core::sc_time& at) const {
  return base_ticks_ + (std::max(at, base_time_) - base_time_).value() / units_per_tick();
}

void Aclint::reset() {
  registers.reset();
  access_time_ = sc_core::sc_time_stamp();
  write_mtime(0);
}

void Aclint::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  access_time_ = sc_core::sc_time_stamp() + delay;
  registers.transport(payload);
}

unsigned Aclint::transport_dbg(tlm::tlm_generic_payload& payload) {
  registers.MTIME.set(mtime_at(sc_core::sc_time_stamp()));  // what a debugger is shown
  return registers.transport_debug(payload);
}

void Aclint::write_mtime(uint64_t value) {
  base_ticks_ = value;
  base_time_ = access_time_;
  update();
}

void Aclint::update() {
  const uint64_t now = mtime_at(sc_core::sc_time_stamp());
  uint64_t next = std::numeric_limits<uint64_t>::max();
  for (unsigned hart = 0; hart < kHarts; ++hart) {
    const uint64_t compare = registers.MTIMECMP[hart].get();
    if (compare > now) next = std::min(next, compare);
    timer_interrupt[hart].set(now >= compare);
    software_interrupt[hart].set(registers.MSIP[hart].PENDING.get() != 0);
  }
  comparator_.cancel();
  // From base_time_, so that the fraction of a tick that has passed is not waited for twice.
  const uint64_t ticks = next - base_ticks_;
  const sc_core::sc_time since_base = sc_core::sc_time_stamp() - std::min(base_time_, sc_core::sc_time_stamp());
  const uint64_t reachable = (sc_core::sc_max_time() - base_time_).value() / units_per_tick();
  if (ticks < reachable) comparator_.notify(sc_core::sc_time::from_value(ticks * units_per_tick()) - since_base);
}

}  // namespace npuvp::aclint
