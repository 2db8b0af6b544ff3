// SPDX-License-Identifier: Apache-2.0
#include "models/uart/uart.h"

#include <array>

namespace npuvp::uart {
namespace {

constexpr uint8_t kEnableReceive = 1, kEnableTransmit = 2, kEnableLineStatus = 4, kEnableMask = 0x0f;

// Interrupt identification, bits 3:0 of IIR, highest priority first.
constexpr uint8_t kLineStatus = 0x6, kReceiveData = 0x4, kReceiveTimeout = 0xc, kTransmitEmpty = 0x2, kNone = 0x1;
constexpr uint8_t kFifosEnabled = 0xc0;

constexpr uint8_t kFifoEnable = 1, kFifoClearReceive = 2;
constexpr std::array<size_t, 4> kTriggerBytes = {1, 4, 8, 14};  // by FCR bits 7:6

}  // namespace

Uart::Uart(const sc_core::sc_module_name& name, base::Environment& environment)
    : sc_module(name), socket("socket"), registers(environment, std::string(this->name())) {
  socket.register_b_transport(this, &Uart::b_transport);
  socket.register_transport_dbg(this, &Uart::transport_dbg);
  registers.RBR_THR_DLL.on_read([this](uint64_t) { return read_data(); });
  registers.RBR_THR_DLL.on_write(
      [this](const base::RegisterWrite& write) { write_data(static_cast<uint8_t>(write.written)); });
  registers.IER_DLM.on_read(
      [this](uint64_t) { return divisor_latch() ? static_cast<uint64_t>(divisor_ >> 8) : interrupt_enable_; });
  registers.IER_DLM.on_write(
      [this](const base::RegisterWrite& write) { write_interrupt_enable(static_cast<uint8_t>(write.written)); });
  registers.IIR_FCR.on_read([this](uint64_t) { return read_interrupt_identification(); });
  registers.IIR_FCR.on_write(
      [this](const base::RegisterWrite& write) { write_fifo_control(static_cast<uint8_t>(write.written)); });
}

void Uart::receive(char byte) {
  if (receive_room() == 0) {
    registers.LSR.OE.set(1);
    if (!fifo_enabled_) received_.back() = byte;
  } else {
    received_.push_back(byte);
  }
  update();
}

size_t Uart::receive_room() const {
  const size_t capacity = fifo_enabled_ ? kFifoBytes : 1;
  return capacity - received_.size();
}

void Uart::reset() {
  registers.reset();
  received_.clear();
  divisor_ = 0;
  interrupt_enable_ = 0;
  fifo_enabled_ = false;
  trigger_bytes_ = 1;
  transmit_interrupt_ = false;
  update();
}

void Uart::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& /*delay*/) {
  const size_t room = receive_room();
  registers.transport(payload);
  update();
  if (on_receive_room_ && receive_room() > room) on_receive_room_();
}

unsigned Uart::transport_dbg(tlm::tlm_generic_payload& payload) {
  return registers.transport_debug(payload);
}

uint64_t Uart::read_data() {
  if (divisor_latch()) return divisor_ & 0xff;
  if (received_.empty()) return 0;
  const auto byte = static_cast<uint8_t>(received_.front());
  received_.pop_front();
  return byte;
}

void Uart::write_data(uint8_t value) {
  if (divisor_latch()) {
    divisor_ = static_cast<uint16_t>((divisor_ & 0xff00) | value);
    return;
  }
  transmit_interrupt_ = true;  // empty again at once
  if (on_transmit_) on_transmit_(static_cast<char>(value));
}

void Uart::write_interrupt_enable(uint8_t value) {
  if (divisor_latch()) {
    divisor_ = static_cast<uint16_t>((divisor_ & 0x00ff) | value << 8);
    return;
  }
  // Enabling the transmit interrupt while the holding register is empty raises it.
  if ((value & ~interrupt_enable_ & kEnableTransmit) != 0) transmit_interrupt_ = true;
  interrupt_enable_ = value & kEnableMask;
}

void Uart::write_fifo_control(uint8_t value) {
  const bool enable = (value & kFifoEnable) != 0;
  if (enable != fifo_enabled_ || (enable && (value & kFifoClearReceive) != 0)) received_.clear();
  fifo_enabled_ = enable;
  trigger_bytes_ = enable ? kTriggerBytes[value >> 6] : 1;
}

uint64_t Uart::read_interrupt_identification() {
  const uint8_t identification = pending_interrupt();
  if (identification == kTransmitEmpty) transmit_interrupt_ = false;
  return identification | (fifo_enabled_ ? kFifosEnabled : 0u);
}

uint8_t Uart::pending_interrupt() const {
  if ((interrupt_enable_ & kEnableLineStatus) != 0 && registers.LSR.OE.get() != 0) return kLineStatus;
  if ((interrupt_enable_ & kEnableReceive) != 0 && !received_.empty()) {
    return received_.size() >= trigger_bytes_ ? kReceiveData : kReceiveTimeout;
  }
  if ((interrupt_enable_ & kEnableTransmit) != 0 && transmit_interrupt_) return kTransmitEmpty;
  return kNone;
}

void Uart::update() {
  registers.LSR.DR.set(received_.empty() ? 0 : 1);
  interrupt.set(pending_interrupt() != kNone);
}

}  // namespace npuvp::uart
