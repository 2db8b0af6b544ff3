// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <systemc>
#include <vector>

#include "models/base/initiator_port.h"
#include "models/pcie/host_port.h"
#include "models/pcie/root_complex.h"
#include "platform/host/inproc/enumerator.h"
#include "platform/host/inproc/host_memory.h"

namespace npuvp::host {

/// A host without QEMU: runs a C++ program (the body) as a thread of the simulation, enumerates the fabric as firmware
/// and kernel of a host would, and gives the body memory, MMIO and interrupts. Everything is in simulated time and
/// repeats exactly.
///
/// Sockets: config (ECAM address), memory (PCI bus address); both to the root complex.
class InprocHost : public sc_core::sc_module, public pcie::HostPort {
 public:
  SC_HAS_PROCESS(InprocHost);

  /// `body` runs once, at the start of the simulation, which ends when it returns. An exception that leaves it is
  /// rethrown by rethrow_failure().
  InprocHost(sc_core::sc_module_name name, std::function<void(InprocHost&)> body);

  base::InitiatorPort config{"config"};
  base::InitiatorPort mmio{"mmio"};

  /// Binds the sockets and takes the card's DMA and interrupts. Before the simulation starts.
  void connect(pcie::RootComplex& root_complex);

  /// Throws what the body threw, if anything.
  void rethrow_failure() const;
  [[nodiscard]] bool finished() const { return finished_; }

  // For the body.

  /// Sets up the fabric (Enumerator) and MSI-X of all endpoints; these in the order of their buses.
  std::vector<PciFunction> enumerate();
  /// As enumerate() found them.
  [[nodiscard]] const std::vector<PciBridge>& bridges() const { return bridges_; }

  /// Brings `count` virtual functions of an enumerated function into being, 1 to total_vfs, and enables memory, bus
  /// mastering and MSI-X of each.
  std::vector<PciFunction> enable_virtual_functions(const PciFunction& physical, unsigned count);
  void disable_virtual_functions(const PciFunction& physical);

  [[nodiscard]] HostMemory& ram() { return ram_; }
  uint32_t config_read(uint16_t bdf, uint16_t offset, unsigned bytes);
  void config_write(uint16_t bdf, uint16_t offset, uint32_t value, unsigned bytes);
  /// Replaces the bits in `mask` of a 16-bit register by those of `value`.
  void config_change(uint16_t bdf, uint16_t offset, uint32_t mask, uint32_t value);
  /// Offset of a capability, or 0.
  [[nodiscard]] uint16_t find_capability(uint16_t bdf, uint8_t id);
  [[nodiscard]] uint16_t find_extended_capability(uint16_t bdf, uint16_t id);
  /// Sets up a single MSI message, for the services of a port; returns its host interrupt.
  uint32_t enable_msi(uint16_t bdf);
  /// An access that fails on the fabric reads all ones, as on a real root complex.
  uint32_t mmio_read32(uint64_t address);
  void mmio_write32(uint64_t address, uint32_t value);

  /// Waits for an interrupt since the last call for `vector`; false if `timeout` of simulated time passed first.
  bool wait_interrupt(uint32_t vector, sc_core::sc_time timeout);

  // pcie::HostPort
  bool dma_read(uint64_t bus_address, std::span<uint8_t> data) override;
  std::span<const uint8_t> dma_view(uint64_t bus_address, uint64_t bytes) override;
  bool dma_write(uint64_t bus_address, std::span<const uint8_t> data) override;
  void interrupt(uint64_t address, uint32_t data) override;

 private:
  void run();
  void enable_msix(PciFunction& function);

  std::function<void(InprocHost&)> body_;
  std::exception_ptr failure_;
  bool finished_ = false;
  HostMemory ram_;
  std::vector<PciBridge> bridges_;
  uint32_t next_vector_ = 0;
  std::map<uint32_t, bool> pending_;
  sc_core::sc_event interrupted_;
};

}  // namespace npuvp::host
