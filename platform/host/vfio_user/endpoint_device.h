// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <systemc>

#include "models/pcie/downstream_port.h"
#include "models/pcie/endpoint.h"
#include "platform/host/vfio_user/fabric_device.h"

namespace npuvp::host {

/// The physical function of one endpoint as a vfio-user device: for guests and hypervisors that bring their own fabric
/// above it.
///
/// Behind it is a private fabric, root complex, one port (00:00.0) and the endpoint (01:00.0), so that rules and time
/// are those of models/pcie. A client says region and offset, never an address, and need not write BARs at all:
/// accesses go to addresses of our own, while the client finds its own values in the BARs. The client keeps the MSI-X
/// table (as QEMU does); a vector of the function is unmasked while the client has given an eventfd for it.
class EndpointDevice final : public FabricDevice {
 public:
  /// `port` is the only one of `root_complex`, `endpoint` is alone below it. All BARs are 64-bit ones.
  EndpointDevice(sc_core::sc_module_name name, base::Environment& environment, pcie::RootComplex& root_complex,
                 pcie::DownstreamPort& port, pcie::Endpoint& endpoint);

  [[nodiscard]] uint64_t region_bytes(uint32_t region) const override;
  /// Waits, in simulated time, until the data is there: to be called in an SC_THREAD.
  void read(uint32_t region, uint64_t offset, std::span<uint8_t> data) override;
  void write(uint32_t region, uint64_t offset, std::span<const uint8_t> data) override;
  /// Function-level reset.
  void reset() override;
  void irqs_changed(uint32_t irq) override;
  void power_cycle() override;

 private:
  static constexpr size_t kBars = 6;

  /// While it lives, the function's BARs hold what the client wrote; afterwards our addresses again.
  class ClientBars;

  struct MsixPlace {
    uint32_t region;
    uint64_t offset;
    uint64_t bytes;
  };

  [[nodiscard]] uint32_t vectors() const override;
  [[nodiscard]] uint64_t vector_of(uint64_t /*address*/, uint32_t data) const override { return data; }
  [[nodiscard]] bool may_master() const override { return true; }  // the function itself is asked

  /// Learns what the function has. Before the simulation starts, when all sockets are bound.
  void start_of_simulation() override;
  void size_bars();
  void find_capabilities();
  void program_port();
  /// A reset of the function takes the vectors away.
  void program_vectors();
  [[nodiscard]] uint32_t config_read(unsigned offset, unsigned bytes);
  void config_write(unsigned offset, uint32_t value, unsigned bytes);
  /// Bytes of an access to a region that lie in the MSI-X table: first byte and end, relative to the access.
  [[nodiscard]] std::optional<std::pair<uint64_t, uint64_t>> part_in_table(uint32_t region, uint64_t offset,
                                                                           uint64_t bytes) const;

  pcie::DownstreamPort& port_;
  pcie::Endpoint& endpoint_;
  std::array<uint64_t, kBars> bar_bytes_{};    // 0: none
  std::array<uint32_t, kBars> our_bars_{};     // register values
  std::array<uint32_t, kBars> client_bars_{};  // the same
  std::optional<MsixPlace> msix_table_;
  unsigned device_control_ = 0;  // offset in configuration space
};

}  // namespace npuvp::host
