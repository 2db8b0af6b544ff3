// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <systemc>

#include "models/base/environment.h"
#include "models/base/initiator_port.h"
#include "models/pcie/root_complex.h"
#include "platform/host/vfio_user/dma_map.h"
#include "platform/host/vfio_user/irq_eventfds.h"
#include "platform/host/vfio_user/vfio_user_device.h"

namespace npuvp::host {

/// What devices with a PCIe hierarchy of ours behind them have in common: they drive its root complex for a client, and
/// are its host, whose memory and interrupts are those of the client. One client at a time.
class FabricDevice : public sc_core::sc_module, public vfio_user::VfioUserDevice, private pcie::HostPort {
 public:
  [[nodiscard]] uint32_t irq_count(uint32_t irq) const final;

  /// Everything behind the device as after power on; for the next client.
  virtual void power_cycle() = 0;

  /// What the client shares with us, for the server to fill.
  [[nodiscard]] vfio_user::DmaMap& dma_map() { return dma_map_; }
  [[nodiscard]] vfio_user::IrqEventfds& irq_eventfds() { return irq_eventfds_; }

 protected:
  /// Attaches itself to `root_complex` as its host.
  FabricDevice(sc_core::sc_module_name name, base::Environment& environment, pcie::RootComplex& root_complex);

  /// Number of MSI-X vectors.
  [[nodiscard]] virtual uint32_t vectors() const = 0;
  /// MSI-X vector that an interrupt message stands for; any number.
  [[nodiscard]] virtual uint64_t vector_of(uint64_t address, uint32_t data) const = 0;
  /// The device itself lets DMA of what is behind it through.
  [[nodiscard]] virtual bool may_master() const = 0;

  [[nodiscard]] pcie::RootComplex& root_complex() { return root_complex_; }
  [[nodiscard]] base::InitiatorPort& config_port() { return config_port_; }
  [[nodiscard]] base::InitiatorPort& memory_port() { return memory_port_; }

 private:
  bool dma_read(uint64_t bus_address, std::span<uint8_t> data) override;
  bool dma_write(uint64_t bus_address, std::span<const uint8_t> data) override;
  void interrupt(uint64_t address, uint32_t data) override;
  bool explain_failure(uint64_t bus_address);

  std::shared_ptr<spdlog::logger> log_;
  pcie::RootComplex& root_complex_;
  base::InitiatorPort config_port_;
  base::InitiatorPort memory_port_;
  vfio_user::DmaMap dma_map_;
  vfio_user::IrqEventfds irq_eventfds_;
};

}  // namespace npuvp::host
