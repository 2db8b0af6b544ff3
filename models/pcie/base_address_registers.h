// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "npuvp/registers/pcie.h"

namespace npuvp::pcie {

/// What one base address register (BAR) asks for.
struct BarParameters {
  unsigned index;  ///< 0 to 5; a 64-bit BAR also takes the next one.
  uint64_t bytes;  ///< Power of two, at least 16.
  bool is_64bit = false;
  bool prefetchable = false;
};

/// The memory BARs of a type 0 header: sizing (software writes ones and reads back which bits stick, PCI Express Base
/// Specification 7.5.1.2.1) and address decoding.
class BaseAddressRegisters {
 public:
  struct Hit {
    unsigned index;
    uint64_t offset;
  };

  explicit BaseAddressRegisters(Type0Registers& header);

  void add(const BarParameters& bar);

  /// Address that software has given to the BAR.
  [[nodiscard]] uint64_t base(unsigned index) const;

  /// The BAR that holds all of [address, address + bytes).
  [[nodiscard]] std::optional<Hit> decode(uint64_t address, uint64_t bytes) const;

 private:
  Type0Registers& header_;
  std::array<BarParameters, 6> bars_{};  // bytes 0: none
  std::array<uint64_t, 6> writable_{};   // of the register
  std::array<uint64_t, 6> fixed_{};
};

}  // namespace npuvp::pcie
