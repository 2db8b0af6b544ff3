// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <optional>
#include <systemc>

#include "models/base/environment.h"
#include "npuvp/registers/aperture.h"

namespace npuvp::aperture {

/// BAR2 of each PCIe function: a window onto card memory, placed by the firmware.
///
/// Sockets: `host` (target; the window is the sideband's `function`, addresses relative to its BAR), `memory`
/// (initiator, card physical addresses), `registers` (target). Timing: none of its own; the NoC port behind it has a
/// rate. An access that does not lie inside the function's window is answered TLM_ADDRESS_ERROR_RESPONSE and goes
/// nowhere.
class Aperture final : public sc_core::sc_module {
 public:
  Aperture(sc_core::sc_module_name name, base::Environment& environment);

  tlm_utils::simple_target_socket<Aperture> host;
  tlm_utils::simple_initiator_socket<Aperture> memory;
  tlm_utils::simple_target_socket<Aperture> registers;

  /// Card reset: closes all windows.
  void reset() { registers_.reset(); }
  /// Virtual function `function` was reset or disabled: closes its window until the firmware opens it again.
  void function_reset(unsigned function);

 private:
  void host_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned host_transport_dbg(tlm::tlm_generic_payload& payload);
  void registers_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned registers_transport_dbg(tlm::tlm_generic_payload& payload);
  [[nodiscard]] std::optional<uint64_t> physical(const tlm::tlm_generic_payload& payload) const;

  base::Environment& environment_;
  ApertureRegisters registers_;
};

}  // namespace npuvp::aperture
