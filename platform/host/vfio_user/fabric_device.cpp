// SPDX-License-Identifier: Apache-2.0
#include "platform/host/vfio_user/fabric_device.h"

#include "platform/host/vfio_user/protocol.h"

namespace npuvp::host {

FabricDevice::FabricDevice(sc_core::sc_module_name module_name, base::Environment& environment,
                           pcie::RootComplex& root_complex)
    : sc_module(module_name),
      log_(environment.logger(name())),
      root_complex_(root_complex),
      config_port_("config"),
      memory_port_("memory") {
  config_port_.socket.bind(root_complex.config);
  memory_port_.socket.bind(root_complex.memory);
  root_complex.attach(*this);
}

uint32_t FabricDevice::irq_count(uint32_t irq) const {
  if (irq == vfio_user::kIrqMsix) return vectors();
  return irq == vfio_user::kIrqError || irq == vfio_user::kIrqRequest ? 1 : 0;
}

bool FabricDevice::dma_read(uint64_t bus_address, std::span<uint8_t> data) {
  return (may_master() && dma_map_.read(bus_address, data)) || explain_failure(bus_address);
}

bool FabricDevice::dma_write(uint64_t bus_address, std::span<const uint8_t> data) {
  return (may_master() && dma_map_.write(bus_address, data)) || explain_failure(bus_address);
}

bool FabricDevice::explain_failure(uint64_t bus_address) {
  if (dma_map_.is_unshared(bus_address)) {
    log_->error(
        "guest memory at {:#x} is not shared. Remedy: give QEMU '-object memory-backend-memfd,id=ram,size=SIZE,"
        "share=on' and '-machine ...,memory-backend=ram'",
        bus_address);
  } else if (!may_master()) {
    log_->warn("DMA to {:#x} while bus mastering of the VMD is off", bus_address);
  }
  return false;
}

void FabricDevice::interrupt(uint64_t address, uint32_t data) {
  const uint64_t vector = vector_of(address, data);
  if (vector < vectors() && irq_eventfds_.trigger(vfio_user::kIrqMsix, static_cast<uint32_t>(vector))) return;
  log_->warn("interrupt message {:#x} to {:#x}: the guest has not set up vector {}", data, address, vector);
}

}  // namespace npuvp::host
