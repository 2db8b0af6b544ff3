// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <array>
#include <cstdint>
#include <systemc>

#include "models/base/environment.h"
#include "models/base/irq.h"
#include "npuvp/registers/plic.h"

namespace npuvp::plic {

/// Interrupt controller with 31 level-sensitive sources and one machine-mode context for each of four harts.
///
/// A source's gateway lets one request through and holds the next back until completion; a request that has passed
/// stays pending when the line falls. A claim takes the enabled pending source of the highest priority, the lowest
/// number among equals, whatever the threshold. Accesses take no time; outputs change in the delta cycle of their
/// cause. Source: RISC-V Platform-Level Interrupt Controller specification 1.0.
class Plic final : public sc_core::sc_module {
 public:
  static constexpr unsigned kSources = 32;  ///< Source 0 does not exist.
  static constexpr unsigned kContexts = 4;

  Plic(const sc_core::sc_module_name& name, base::Environment& environment);

  tlm_utils::simple_target_socket<Plic> socket;
  std::array<base::IrqLine, kContexts> external_interrupt;  ///< To mip.MEIP of hart n.
  PlicRegisters registers;

  /// Input of `source`, 1 .. 31. Throws std::out_of_range for any other.
  [[nodiscard]] base::IrqSink source_input(unsigned source);

  /// Nothing enabled, nothing in service; sources whose line is high are pending.
  void reset();

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  void set_level(unsigned source, bool level);
  void open_gateways();
  [[nodiscard]] unsigned best_source(unsigned context) const;
  uint64_t claim(unsigned context);
  void complete(unsigned context, uint64_t source);
  void update();

  uint32_t level_ = 0;       ///< Bit n: line of source n is high.
  uint32_t in_service_ = 0;  ///< Bit n: source n is claimed and not completed.
};

}  // namespace npuvp::plic
