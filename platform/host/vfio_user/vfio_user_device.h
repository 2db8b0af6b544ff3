// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

namespace npuvp::host::vfio_user {

/// The PCI device that a Server presents. The server has checked every argument: `region` exists, the range lies inside
/// it, `irq` < kIrqs. Calls come in the order of the client's messages.
class VfioUserDevice {
 public:
  virtual ~VfioUserDevice() = default;

  /// Size of region `region` (kRegionBar0, ...), 0: there is none.
  [[nodiscard]] virtual uint64_t region_bytes(uint32_t region) const = 0;
  /// Number of vectors of interrupt `irq` (kIrqMsix, ...).
  [[nodiscard]] virtual uint32_t irq_count(uint32_t irq) const = 0;

  /// Returns when the data is there; may wait in simulated time.
  virtual void read(uint32_t region, uint64_t offset, std::span<uint8_t> data) = 0;
  /// Posted.
  virtual void write(uint32_t region, uint64_t offset, std::span<const uint8_t> data) = 0;

  virtual void reset() = 0;

  /// The client has given or taken back eventfds of `irq`.
  virtual void irqs_changed(uint32_t /*irq*/) {}
};

}  // namespace npuvp::host::vfio_user
