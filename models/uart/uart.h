// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <systemc>

#include "models/base/environment.h"
#include "models/base/irq.h"
#include "npuvp/registers/uart.h"

namespace npuvp::uart {

/// NS16550A: console of the command processor.
///
/// Bytes leave through on_transmit() the moment they are written: the transmitter is always empty and takes no
/// simulated time. Bytes enter through receive() into a FIFO of 16 (1 with FIFOs off). The receive time-out elapses at
/// once, so that data below the trigger level interrupts too, with its own code. Modem lines, loopback, parity and
/// break are not modelled: MSR reads 0. Source: National Semiconductor PC16550D data sheet (June 1995), section 8.
class Uart final : public sc_core::sc_module {
 public:
  static constexpr size_t kFifoBytes = 16;

  Uart(const sc_core::sc_module_name& name, base::Environment& environment);

  tlm_utils::simple_target_socket<Uart> socket;
  base::IrqLine interrupt;
  UartRegisters registers;

  /// Called with each byte sent.
  void on_transmit(std::function<void(char)> handler) { on_transmit_ = std::move(handler); }

  /// A byte arrives on the line. Without room it is an overrun: FIFO on, the byte is lost; off, it replaces the one
  /// before.
  void receive(char byte);
  /// How many bytes receive() takes now without an overrun.
  [[nodiscard]] size_t receive_room() const;
  /// Called when receive() takes more than before.
  void on_receive_room(std::function<void()> handler) { on_receive_room_ = std::move(handler); }

  void reset();

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  [[nodiscard]] bool divisor_latch() const { return registers.LCR.DLAB.get() != 0; }
  uint64_t read_data();
  void write_data(uint8_t value);
  void write_interrupt_enable(uint8_t value);
  void write_fifo_control(uint8_t value);
  uint64_t read_interrupt_identification();
  [[nodiscard]] uint8_t pending_interrupt() const;
  void update();

  std::function<void(char)> on_transmit_;
  std::function<void()> on_receive_room_;
  std::deque<char> received_;
  uint16_t divisor_ = 0;
  uint8_t interrupt_enable_ = 0;
  bool fifo_enabled_ = false;
  size_t trigger_bytes_ = 1;
  bool transmit_interrupt_ = false;  ///< Transmit holding register has become empty and IIR has not told yet.
};

}  // namespace npuvp::uart
