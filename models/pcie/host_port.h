// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

namespace npuvp::pcie {

/// The host's memory and interrupt controller as the root complex sees them; implemented by the host attachments
/// (docs/architecture.md section 3). Calls take effect at once and take no time; the root complex accounts for it.
class HostPort {
 public:
  virtual ~HostPort() = default;

  /// Reads or writes host memory. False: some of [bus_address, bus_address + size) is not host memory, or not
  /// accessible in this way; then nothing that matters was read, and any part may have been written.
  virtual bool dma_read(uint64_t bus_address, std::span<uint8_t> data) = 0;
  virtual bool dma_write(uint64_t bus_address, std::span<const uint8_t> data) = 0;

  /// Where [bus_address, bus_address + size) lies in our memory, valid until the next event. Empty: dma_read() has to
  /// copy, as from memory that others change meanwhile.
  virtual std::span<const uint8_t> dma_view(uint64_t /*bus_address*/, uint64_t /*bytes*/) { return {}; }

  /// A message signalled interrupt reached the root: the memory write of `data` to `address`.
  virtual void interrupt(uint64_t address, uint32_t data) = 0;
};

}  // namespace npuvp::pcie
