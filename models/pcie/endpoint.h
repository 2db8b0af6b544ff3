// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <functional>
#include <memory>
#include <systemc>
#include <vector>

#include "models/base/environment.h"
#include "models/base/initiator_port.h"
#include "models/pcie/physical_function.h"
#include "models/pcie/port.h"
#include "models/pcie/virtual_function.h"

namespace npuvp::pcie {

/// PCI Express endpoint with a physical function and up to 16 virtual ones: the card's door to the host.
///
/// Sockets: `bar0` and `bar2` towards the card carry the host's memory accesses, address relative to the BAR of the
/// function that Sideband::function names (without the MSI-X structures, which the endpoint keeps itself); `dma` takes
/// the card's accesses, in the name of the function of the sideband, address on the host's bus, any size up to 4 KiB;
/// `port()` is connected to a Link.
/// Timing: none of its own. A read through `dma` returns with the time its last byte has arrived, a write, which is
/// posted, with the time it has reached its destination. Interrupts follow the writes issued before them.
/// Responses of `dma`: TLM_GENERIC_ERROR_RESPONSE while the function may not master or does not exist, and when no
/// completion came in time; TLM_ADDRESS_ERROR_RESPONSE for a read completed with an error. A posted write that fails
/// somewhere is reported where that is, not here. Poisoned data sets Sideband::poison.
class Endpoint final : public sc_core::sc_module, private RequestSink {
 public:
  using Parameters = PhysicalFunction::Parameters;

  Endpoint(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);

  base::InitiatorPort bar0;
  base::InitiatorPort bar2;
  tlm_utils::simple_target_socket<Endpoint> dma;

  [[nodiscard]] Port& port() { return port_; }
  [[nodiscard]] PhysicalFunction& physical_function() { return *physical_; }

  /// Interrupt condition of a function's MSI-X vector; one that does not exist is misuse by whoever chose it.
  void raise_vector(unsigned function, unsigned vector);

  /// Called when a function was reset: 0 by anything that resets the card with it (hot reset, function-level reset of
  /// the physical function, power); n: virtual function n alone, by function-level reset or because it was disabled.
  void on_reset(std::function<void(unsigned function)> handler) { on_reset_ = std::move(handler); }

 private:
  /// From the link.
  Completion receive(Request& request, Passage& passage) override;
  Completion access_config(Request& request);
  Completion access_memory(Request& request, Passage& passage);
  Completion access_bar(Function& function, const Function::Hit& hit, Request& request, Passage& passage);
  [[nodiscard]] bool joins_functions(const Request& request, const Function& target);
  Completion answer(Function& function, Request& request, Completion status);

  void dma_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  tlm::tlm_response_status read(Function& function, Request& request, Passage& passage);
  void write(Function& function, Request& request, Passage& passage);
  void send_interrupt(Function& function, uint64_t address, uint32_t data);
  void send_error(Function& function, MessageCode code);

  /// nullptr: none of that number on the bus.
  [[nodiscard]] Function* function_at(RoutingId id);
  [[nodiscard]] Function* function(unsigned index);
  [[nodiscard]] bool exists(unsigned index) const;
  void reset(ResetKind kind);
  void virtual_functions_changed();
  void capture_routing_id(RoutingId id);

  base::Environment& environment_;
  std::shared_ptr<spdlog::logger> log_;
  const bool relaxed_ordering_;
  const bool id_based_ordering_;
  std::unique_ptr<PhysicalFunction> physical_;
  std::vector<std::unique_ptr<VirtualFunction>> virtual_;
  Port port_;
  unsigned enabled_ = 0;  // virtual functions
  std::function<void(unsigned)> on_reset_;
};

}  // namespace npuvp::pcie
