// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemc>

#include "models/base/environment.h"
#include "models/pcie/base_address_registers.h"
#include "models/pcie/capabilities/express_capability.h"
#include "models/pcie/capabilities/msix_capability.h"
#include "models/pcie/config_space.h"
#include "platform/host/vfio_user/fabric_device.h"

namespace npuvp::host {

/// A whole PCIe hierarchy behind one vfio-user device: to the guest it is a Volume Management Device (VMD), whose stock
/// Linux driver makes a PCI domain of its own from what is behind.
///
/// BAR0: configuration space of the domain, 1 MiB a bus. BAR2: its 32-bit memory. BAR4: its prefetchable memory; the
/// first 8 KiB hold the VMD's own MSI-X structures. A memory address of the domain is the guest's address inside BAR2
/// or BAR4. A child's interrupt to 0xfee00000 | n << 12 becomes the VMD's vector n. See README.md for the sources.
class VmdDomain final : public FabricDevice {
 public:
  struct Parameters {
    /// 1 MiB a bus, 1 to 256 buses. No more than needed: Linux looks at every device number of each when it starts.
    uint64_t config_bytes = 32 << 20;
    uint64_t memory_bytes = 64 << 20;  ///< BAR2, below 4 GiB in the guest.
    /// BAR4. Needs room for every prefetchable BAR at its alignment, behind the first 8 KiB: 1 GiB for one card with
    /// 256 MiB.
    uint64_t prefetchable_bytes = 1 << 30;
  };

  VmdDomain(sc_core::sc_module_name name, base::Environment& environment, pcie::RootComplex& root_complex,
            const Parameters& parameters);

  [[nodiscard]] uint64_t region_bytes(uint32_t region) const override;
  /// Waits, in simulated time, until the data is there: to be called in an SC_THREAD.
  void read(uint32_t region, uint64_t offset, std::span<uint8_t> data) override;
  void write(uint32_t region, uint64_t offset, std::span<const uint8_t> data) override;
  void reset() override;
  void power_cycle() override { reset(); }

 private:
  [[nodiscard]] uint32_t vectors() const override;
  [[nodiscard]] uint64_t vector_of(uint64_t address, uint32_t data) const override;
  [[nodiscard]] bool may_master() const override { return header_.COMMAND.BUS_MASTER.get() != 0; }

  Parameters parameters_;
  pcie::Type0Registers header_;
  pcie::BaseAddressRegisters bars_;
  pcie::ExpressCapability express_;
  pcie::MsixCapability msix_;
  pcie::ConfigSpace config_;
};

}  // namespace npuvp::host
