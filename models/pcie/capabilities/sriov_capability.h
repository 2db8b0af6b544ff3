// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "models/pcie/base_address_registers.h"
#include "models/pcie/capability.h"
#include "npuvp/registers/pcie.h"

namespace npuvp::pcie {

/// The virtual functions (VFs) of a physical function.
struct SriovParameters {
  uint16_t total_vfs = 0;
  /// Routing ID of the first VF less that of the physical function, and from one VF to the next.
  uint16_t first_vf_offset = 1;
  uint16_t vf_stride = 1;
  uint16_t vf_device_id = 0;
  uint8_t dependency_link = 0;  ///< Function number of the physical function.
  bool tag_10_bit_requester = false;
  std::vector<BarParameters> bars{};  ///< Of one VF; at least 4 KiB each.
};

/// Single Root I/O Virtualization extended capability (PCI Express Base Specification 9.3.3): how many VFs there are
/// and where in memory. VF migration is not supported.
///
/// Writes that the specification leaves undefined are ignored: NUM_VFS above TOTAL_VFS or while VF_ENABLE is set,
/// SYSTEM_PAGE_SIZE with other than one supported bit or while VF_ENABLE is set.
class SriovCapability final : public Capability {
 public:
  struct Hit {
    unsigned vf;  ///< From 0.
    unsigned bar;
    uint64_t offset;  ///< In the BAR of that VF.
  };

  SriovCapability(base::Environment& environment, const std::string& instance, const SriovParameters& parameters);

  [[nodiscard]] base::RegisterBank& bank() override { return registers; }
  /// VFs are gone afterwards; on_change() is called as if software had done it.
  void reset(ResetKind kind) override;

  /// VFs that exist now.
  [[nodiscard]] unsigned vf_count() const;
  /// VFs answer memory requests.
  [[nodiscard]] bool memory_space() const { return registers.CONTROL.VF_MEMORY_SPACE.get() != 0; }
  [[nodiscard]] uint16_t routing_id(uint16_t physical_function, unsigned vf) const;

  /// Address that software has given to BAR `bar` of VF 0; that of VF n follows n apertures later.
  [[nodiscard]] uint64_t bar_base(unsigned bar) const { return bars_.base(bar); }
  /// Aperture of one VF: the size of the BAR, or the system page size if that is larger.
  [[nodiscard]] uint64_t aperture_bytes(unsigned bar) const { return bars_.parameters(bar).bytes; }

  /// The VF and BAR that hold all of [address, address + bytes), if VFs exist and answer memory requests.
  [[nodiscard]] std::optional<Hit> decode(uint64_t address, uint64_t bytes) const;

  /// Called after vf_count() or memory_space() has changed.
  void on_change(std::function<void()> handler) { on_change_ = std::move(handler); }

  SriovRegisters registers;

 private:
  void size_apertures();
  void tell_changes();
  [[nodiscard]] bool is_enabled() const { return registers.CONTROL.VF_ENABLE.get() != 0; }

  SriovParameters parameters_;
  BaseAddressRegisters bars_;
  std::function<void()> on_change_;
  unsigned told_vf_count_ = 0;
  bool told_memory_space_ = false;
};

}  // namespace npuvp::pcie
