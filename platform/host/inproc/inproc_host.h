// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <systemc>
#include <vector>

#include "models/base/initiator_port.h"
#include "models/pcie/host_port.h"
#include "models/pcie/root_complex.h"
#include "platform/host/inproc/host_memory.h"

namespace npuvp::host {

/// An endpoint function that the in-process host has enumerated and enabled.
struct PciFunction {
  uint16_t bdf = 0;  ///< bus << 8 | device << 3 | function
  uint16_t vendor_id = 0;
  uint16_t device_id = 0;
  std::array<uint64_t, 6> bars{};  ///< Bus address by BAR number, 0 where there is none.
  uint32_t first_vector = 0;       ///< Host interrupt of the function's MSI-X vector 0.
  uint32_t vectors = 0;
};

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

  /// Walks the buses, sizes and assigns all BARs and bridge windows, enables memory, bus mastering and MSI-X.
  std::vector<PciFunction> enumerate();

  [[nodiscard]] HostMemory& ram() { return ram_; }
  uint32_t config_read(uint16_t bdf, uint16_t offset, unsigned bytes);
  void config_write(uint16_t bdf, uint16_t offset, uint32_t value, unsigned bytes);
  /// An access that fails on the fabric reads all ones, as on a real root complex.
  uint32_t mmio_read32(uint64_t address);
  void mmio_write32(uint64_t address, uint32_t value);

  /// Waits for an interrupt since the last call for `vector`; false if `timeout` of simulated time passed first.
  bool wait_interrupt(uint32_t vector, sc_core::sc_time timeout);

  // pcie::HostPort
  bool dma_read(uint64_t bus_address, std::span<uint8_t> data) override;
  bool dma_write(uint64_t bus_address, std::span<const uint8_t> data) override;
  void interrupt(uint64_t address, uint32_t data) override;

 private:
  struct Enumeration;

  void run();
  void enumerate_bus(uint8_t bus, Enumeration& state);
  void configure_bridge(uint16_t bdf, Enumeration& state);
  void configure_endpoint(uint16_t bdf, Enumeration& state);
  void assign_bars(PciFunction& function, Enumeration& state);
  void enable_msix(PciFunction& function);
  uint8_t find_capability(uint16_t bdf, uint8_t id);

  std::function<void(InprocHost&)> body_;
  std::exception_ptr failure_;
  bool finished_ = false;
  HostMemory ram_;
  uint32_t next_vector_ = 0;
  std::map<uint32_t, bool> pending_;
  sc_core::sc_event interrupted_;
};

}  // namespace npuvp::host
