// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <array>
#include <cstdint>
#include <systemc>

#include "models/base/environment.h"
#include "models/base/irq.h"
#include "npuvp/registers/aclint.h"

namespace npuvp::aclint {

/// Machine timer and software interrupts of up to four harts, at CLINT-compatible offsets.
///
/// mtime counts nanoseconds since reset and is computed from simulated time when read; a comparator that lies ahead is
/// one pending event. Accesses take no time. Interrupts change in the delta cycle of their cause. Source: RISC-V
/// Advanced Core Local Interruptor specification 1.0-rc4, chapters 2 (MTIMER) and 3 (MSWI).
class Aclint final : public sc_core::sc_module {
 public:
  static constexpr unsigned kHarts = 4;

  Aclint(const sc_core::sc_module_name& name, base::Environment& environment);

  tlm_utils::simple_target_socket<Aclint> socket;
  std::array<base::IrqLine, kHarts> software_interrupt;  ///< To mip.MSIP.
  std::array<base::IrqLine, kHarts> timer_interrupt;     ///< To mip.MTIP.
  AclintRegisters registers;

  /// mtime at a simulated time not before the last reset or write of mtime; for the time CSR.
  [[nodiscard]] uint64_t mtime_at(const sc_core::sc_time& at) const;

  /// mtime from 0, no interrupt pending, comparators at their maximum.
  void reset();

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  void write_mtime(uint64_t value);
  void update();

  uint64_t base_ticks_ = 0;     ///< mtime
  sc_core::sc_time base_time_;  ///< at this time.
  sc_core::sc_time access_time_;
  sc_core::sc_event comparator_;
};

}  // namespace npuvp::aclint
