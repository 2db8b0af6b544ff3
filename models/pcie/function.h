// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <deque>
#include <functional>
#include <memory>
#include <systemc>

#include "models/base/environment.h"
#include "models/base/initiator_port.h"
#include "models/pcie/base_address_registers.h"
#include "models/pcie/capabilities/power_management_capability.h"
#include "models/pcie/capabilities/serial_number_capability.h"
#include "models/pcie/config_space.h"
#include "models/pcie/msix_table.h"
#include "models/pcie/port.h"

namespace npuvp::pcie {

/// PCI Express endpoint function: the card's door to the host.
///
/// Sockets: `bar0` and `bar2` towards the card carry the host's memory accesses, address relative to the BAR (without
/// the MSI-X structures, which the function keeps itself); `dma` takes the card's accesses to host memory, address on
/// the host's bus, any size up to 4 KiB; `port()` is connected to a Link.
/// Timing: none of its own. A read through `dma` returns with the time its last byte has arrived, a write, which is
/// posted, with the time it has reached host memory. Interrupts follow the writes issued before them.
class Function final : public sc_core::sc_module, private RequestSink {
 public:
  struct Parameters {
    uint16_t vendor_id = 0x1eff;  ///< Of the ATOM card, with device id and class (docs: hardware facts).
    uint16_t device_id = 0x1220;
    uint32_t class_code = 0x120000;  ///< Processing accelerator.
    uint8_t revision_id = 0;
    uint16_t subsystem_vendor_id = 0x1eff;
    uint16_t subsystem_id = 0x1220;
    uint64_t serial_number = 0;  ///< EUI-64.
    /// BAR sizes of the real card are not public.
    uint64_t bar0_bytes = 64 << 10;   ///< 64-bit, not prefetchable: registers.
    uint64_t bar2_bytes = 256 << 20;  ///< 64-bit, prefetchable: memory. 0: none.
    MsixParameters msix;
    unsigned generation = 5;
    unsigned lanes = 16;
    uint32_t max_payload_bytes = 512;
  };

  Function(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);

  base::InitiatorPort bar0;
  base::InitiatorPort bar2;
  tlm_utils::simple_target_socket<Function> dma;

  [[nodiscard]] Port& port() { return port_; }

  /// Interrupt condition of an MSI-X vector; one that does not exist is misuse by whoever chose it.
  void raise_vector(unsigned vector);

  /// Called when the function was reset by hot reset, function-level reset or with the whole hierarchy.
  void on_reset(std::function<void()> handler) { on_reset_ = std::move(handler); }

  /// Bus, device and function number as the last configuration write told.
  [[nodiscard]] RoutingId routing_id() const { return routing_id_; }

 private:
  struct PostedWrite {
    sc_core::sc_time issued;
    sc_core::sc_time arrived;
  };

  /// From the link.
  Completion receive(Request& request, Passage& passage) override;
  Completion access_config(Request& request);
  Completion access_memory(Request& request, Passage& passage);
  Completion access_bar(base::InitiatorPort& bar, uint64_t offset, Request& request, Passage& passage);

  void dma_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  Completion post(Request& request, Passage& passage);
  void send_interrupt(uint64_t address, uint32_t data);
  [[nodiscard]] bool may_master() const { return header_.COMMAND.BUS_MASTER.get() != 0 && power_.in_d0(); }
  void reset(ResetKind kind);

  base::Environment& environment_;
  std::shared_ptr<spdlog::logger> log_;
  Parameters parameters_;
  Type0Registers header_;
  BaseAddressRegisters bars_;
  ExpressCapability express_;
  PowerManagementCapability power_;
  std::unique_ptr<MsixCapability> msix_;
  std::unique_ptr<MsixTable> msix_table_;
  SerialNumberCapability serial_number_;
  ConfigSpace config_;
  Port port_;
  RoutingId routing_id_ = 0;
  std::deque<PostedWrite> posted_;  // in order of issue calls; arrived ones are dropped from the front
  std::function<void()> on_reset_;
};

}  // namespace npuvp::pcie
