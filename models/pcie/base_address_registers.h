// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "npuvp/registers/pcie.h"

namespace npuvp::pcie {

/// What one base address register (BAR) asks for.
struct BarParameters {
  unsigned index;  ///< 0 to 5; a 64-bit BAR also takes the next one.
  uint64_t bytes;  ///< Power of two, at least 16.
  bool is_64bit = false;
  bool prefetchable = false;
};

/// The six memory BARs of a type 0 header, or of the SR-IOV capability: sizing (software writes ones and reads back
/// which bits stick, PCI Express Base Specification 7.5.1.2.1) and address decoding.
class BaseAddressRegisters {
 public:
  static constexpr unsigned kCount = 6;

  struct Hit {
    unsigned index;
    uint64_t offset;
  };

  explicit BaseAddressRegisters(std::span<base::Register, kCount> registers);
  explicit BaseAddressRegisters(Type0Registers& header) : BaseAddressRegisters(std::span(header.BAR)) {}

  void add(const BarParameters& bar);

  /// Changes what an added BAR asks for. Address bits that it no longer has become 0.
  void resize(unsigned index, uint64_t bytes);

  /// What was added or last resized; bytes 0: there is no such BAR.
  [[nodiscard]] const BarParameters& parameters(unsigned index) const { return bars_[index]; }

  /// Address that software has given to the BAR.
  [[nodiscard]] uint64_t base(unsigned index) const;

  /// The BAR that holds all of [address, address + bytes).
  [[nodiscard]] std::optional<Hit> decode(uint64_t address, uint64_t bytes) const;

 private:
  void keep_implemented_bits(unsigned index);

  std::span<base::Register, kCount> registers_;
  std::array<BarParameters, kCount> bars_{};  // bytes 0: none
  std::array<uint64_t, kCount> writable_{};   // of the register
  std::array<uint64_t, kCount> fixed_{};
};

}  // namespace npuvp::pcie
