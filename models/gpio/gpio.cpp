// SPDX-License-Identifier: Apache-2.0
#include "models/gpio/gpio.h"

#include <stdexcept>

namespace npuvp::gpio {

Gpio::Gpio(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters)
    : sc_module(name), registers("registers"), registers_(environment, sc_module::name()) {
  registers.register_b_transport(this, &Gpio::b_transport);
  registers.register_transport_dbg(this, &Gpio::transport_dbg);
  registers_.STRAPS.set_reset(parameters.boot | uint64_t{parameters.board} << 8);
  const auto drives = [this](const base::RegisterWrite&) { drive(); };
  const auto interrupts = [this](const base::RegisterWrite&) { update(); };
  registers_.OUTPUT.on_write(drives);
  registers_.DIRECTION.on_write(drives);
  for (auto* each : std::initializer_list<base::Register*>{&registers_.IRQ_ENABLE, &registers_.IRQ_LEVEL,
                                                           &registers_.IRQ_HIGH, &registers_.IRQ_STATUS}) {
    each->on_write(interrupts);
  }
}

void Gpio::set_input(unsigned pin, bool level) {
  if (pin >= kPins) throw std::invalid_argument("GPIO pin " + std::to_string(pin) + ": there are 0 to 31");
  const uint32_t bit = 1U << pin;
  outside_ = level ? outside_ | bit : outside_ & ~bit;
  update();
}

void Gpio::reset() {
  registers_.reset();
  registers_.INPUT.set(outside_);
  drive();
}

void Gpio::drive() {
  if (on_output_) {
    on_output_(static_cast<uint32_t>(registers_.OUTPUT.get() & registers_.DIRECTION.get()),
               static_cast<uint32_t>(registers_.DIRECTION.get()));
  }
  update();
}

void Gpio::update() {
  const uint64_t driven = registers_.DIRECTION.get();
  const uint64_t before = registers_.INPUT.get();
  const uint64_t levels = (registers_.OUTPUT.get() & driven) | (outside_ & ~driven);
  const uint64_t high = registers_.IRQ_HIGH.get(), by_level = registers_.IRQ_LEVEL.get();
  const uint64_t changed = before ^ levels;
  const uint64_t active = ~(levels ^ high);  // the level that IRQ_HIGH asks for
  const uint64_t edges = changed & (active | registers_.IRQ_BOTH.get());
  registers_.INPUT.set(levels);
  registers_.IRQ_STATUS.set_bits((active & by_level) | (edges & ~by_level));
  irq.set((registers_.IRQ_STATUS.get() & registers_.IRQ_ENABLE.get()) != 0);
}

void Gpio::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
  registers_.transport(payload);
}

unsigned Gpio::transport_dbg(tlm::tlm_generic_payload& payload) {
  return registers_.transport_debug(payload);
}

}  // namespace npuvp::gpio
