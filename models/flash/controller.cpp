// SPDX-License-Identifier: Apache-2.0
#include "models/flash/controller.h"

#include <algorithm>
#include <optional>

#include "npu/registers/flash.h"

namespace npuvp::flash {
namespace {

using sc_core::sc_time;

constexpr uint32_t kAddressLimit = 1 << 24;
constexpr double kCommandBits = 8;
constexpr double kAddressBits = 24;

}  // namespace

FlashController::FlashController(sc_core::sc_module_name name, base::Environment& environment,
                                 const Parameters& parameters)
    : sc_module(name),
      registers("registers"),
      environment_(environment),
      parameters_(parameters),
      registers_(environment, sc_module::name()),
      flash_(parameters.flash) {
  registers.register_b_transport(this, &FlashController::b_transport);
  registers.register_transport_dbg(this, &FlashController::transport_dbg);
  registers_.CONTROL.on_write([this](const base::RegisterWrite& write) {
    if (registers_.CONTROL.START.in(write) != 0) start(write.origin);
  });
  registers_.STATUS.on_read([this](uint64_t stored) {
    const bool ready = flash_.powered() && now_ >= flash_.ready_at();
    return (stored & ~uint64_t{FLASH_STATUS_READY_MASK}) | (ready ? FLASH_STATUS_READY_MASK : 0);
  });
  registers_.IRQ_ENABLE.on_write([this](const base::RegisterWrite&) { update_irq(); });
  SC_METHOD(update_irq);
  sensitive << ready_event_;
  dont_initialize();
}

void FlashController::reset() {
  registers_.reset();
  busy_until_ = sc_core::SC_ZERO_TIME;
  update_irq();
}

sc_time FlashController::transfer_time(bool addressed, unsigned bytes) const {
  const double clocks = kCommandBits + (addressed ? kAddressBits : 0) + bytes * kCommandBits / parameters_.data_lanes;
  return {clocks / parameters_.clock_hz, sc_core::SC_SEC};
}

void FlashController::start(const base::Origin& origin) {
  const auto bytes = static_cast<unsigned>(registers_.COMMAND.BYTES.get());
  const bool addressed = registers_.COMMAND.ADDRESSED.get() != 0;
  const bool writes = registers_.COMMAND.WRITES.get() != 0;
  const auto address = static_cast<uint32_t>(registers_.ADDRESS.get());
  if (bytes > SpiNor::kPageBytes || (addressed && address >= kAddressLimit)) {
    registers_.STATUS.ERROR.set(1);
    return;
  }
  std::array<uint8_t, SpiNor::kPageBytes> buffer{};
  for (size_t i = 0; i < buffer.size(); ++i) {
    buffer[i] = static_cast<uint8_t>(registers_.DATA[i / 4].get() >> (i % 4 * 8));
  }
  const std::span<uint8_t> data(buffer.data(), bytes);
  busy_until_ = now_ + transfer_time(addressed, bytes);
  SpiNor::Command command{static_cast<uint8_t>(registers_.COMMAND.OPCODE.get()), {}, {}, {}};
  if (addressed) command.address = address;
  (writes ? command.sent = data : command.received = data);
  const std::string wrong = flash_.execute(command, busy_until_);
  if (!wrong.empty()) environment_.diagnostics().misuse(registers_.name() + ".CONTROL", wrong, origin);
  if (!writes) {
    for (size_t word = 0; word < (bytes + 3) / 4; ++word) {
      uint64_t value = 0;
      for (size_t i = 0; i < 4; ++i) value |= uint64_t{buffer[word * 4 + i]} << (i * 8);
      registers_.DATA[word].set(value);
    }
  }
  update_irq();
}

void FlashController::update_irq() {
  const sc_time present = sc_core::sc_time_stamp();
  const bool ready = flash_.powered() && present >= flash_.ready_at();
  const bool enabled = registers_.IRQ_ENABLE.READY.get() != 0;
  irq.set(enabled && ready);
  ready_event_.cancel();
  if (enabled && !ready && flash_.powered()) ready_event_.notify(flash_.ready_at() - present);
}

void FlashController::b_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
  const sc_time present = sc_core::sc_time_stamp();
  now_ = std::max(present + delay, busy_until_);
  delay = now_ - present;
  registers_.transport(payload);
}

unsigned FlashController::transport_dbg(tlm::tlm_generic_payload& payload) {
  now_ = sc_core::sc_time_stamp();
  return registers_.transport_debug(payload);
}

}  // namespace npuvp::flash
