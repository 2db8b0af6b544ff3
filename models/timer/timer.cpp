// SPDX-License-Identifier: Apache-2.0
#include "models/timer/timer.h"

#include <algorithm>

#include "npu/registers/timer.h"

namespace npuvp::timer {

using sc_core::sc_time;
using sc_core::sc_time_stamp;

Timer::Timer(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters)
    : sc_module(name),
      registers("registers"),
      clock_period_(parameters.clock_period),
      registers_(environment, sc_module::name()) {
  sc_assert(clock_period_ > sc_core::SC_ZERO_TIME);
  registers.register_b_transport(this, &Timer::b_transport);
  registers.register_transport_dbg(this, &Timer::transport_dbg);
  for (unsigned index = 0; index < kTimers; ++index) {
    registers_.CONTROL[index].on_write([this, index](const base::RegisterWrite& write) { control(index, write); });
    registers_.COUNT[index].on_read([this, index](uint64_t) { return left(index); });
  }
  registers_.EXPIRED.on_write([this](const base::RegisterWrite&) { update(); });
  SC_HAS_PROCESS(Timer);
  SC_METHOD(fire);
  sensitive << event_;
  dont_initialize();
}

void Timer::reset() {
  event_.cancel();
  registers_.reset();
  update();
}

void Timer::b_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
  now_ = sc_time_stamp() + delay;
  advance(now_);
  registers_.transport(payload);
}

unsigned Timer::transport_dbg(tlm::tlm_generic_payload& payload) {
  now_ = std::max(now_, sc_time_stamp());
  return registers_.transport_debug(payload);
}

bool Timer::runs(unsigned index) const {
  return (registers_.CONTROL[index].get() & TIMER_CONTROL_ENABLE_MASK) != 0;
}

uint64_t Timer::load(unsigned index) const {
  return std::max<uint64_t>(registers_.LOAD[index].get(), 1);
}

void Timer::control(unsigned index, const base::RegisterWrite& write) {
  if (runs(index) && (write.before & TIMER_CONTROL_ENABLE_MASK) == 0) {
    const uint64_t cycles = registers_.PRESCALE[index].get() + 1;
    channels_[index] = {now_, sc_time::from_value(clock_period_.value() * cycles), load(index)};
  }
  update();
}

uint64_t Timer::left(unsigned index) const {
  if (!runs(index)) return 0;
  const auto& channel = channels_[index];
  const uint64_t passed = now_ > channel.start ? (now_ - channel.start).value() / channel.tick.value() : 0;
  if (passed < channel.load) return channel.load - passed;
  // Only a debugger sees a period that is over: an access lets it expire first.
  const bool periodic = (registers_.CONTROL[index].get() & TIMER_CONTROL_PERIODIC_MASK) != 0;
  return periodic ? load(index) - (passed - channel.load) % load(index) : 0;
}

void Timer::advance(sc_time at) {
  for (unsigned index = 0; index < kTimers; ++index) {
    auto& channel = channels_[index];
    if (!runs(index) || channel.end() > at) continue;
    registers_.EXPIRED.set_bits(uint64_t{1} << index);
    if ((registers_.CONTROL[index].get() & TIMER_CONTROL_PERIODIC_MASK) == 0) {
      registers_.CONTROL[index].clear_bits(TIMER_CONTROL_ENABLE_MASK);
      continue;
    }
    channel.start = channel.end();
    channel.load = load(index);
    const uint64_t period = channel.tick.value() * channel.load;
    channel.start += sc_time::from_value((at - channel.start).value() / period * period);
  }
  update();
}

void Timer::update() {
  uint64_t enabled = 0;
  sc_time next = sc_core::sc_max_time();
  for (unsigned index = 0; index < kTimers; ++index) {
    if ((registers_.CONTROL[index].get() & TIMER_CONTROL_IRQ_ENABLE_MASK) == 0) continue;
    enabled |= uint64_t{1} << index;
    if (runs(index) && (registers_.EXPIRED.get() >> index & 1) == 0) next = std::min(next, channels_[index].end());
  }
  interrupt.set((registers_.EXPIRED.get() & enabled) != 0);
  event_.cancel();
  if (next != sc_core::sc_max_time()) event_.notify(std::max(next, sc_time_stamp()) - sc_time_stamp());
}

void Timer::fire() {
  advance(sc_time_stamp());
}

}  // namespace npuvp::timer
