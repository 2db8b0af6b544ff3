// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace npuvp::riscv {

enum class BusStatus : uint8_t { kOk, kAccessFault };

/// Memory a hart may access through a host pointer: bytes [start, start + length_bytes) of the hart's physical address
/// space.
struct DirectRegion {
  uint8_t* host = nullptr;  ///< Byte at address `start`.
  uint64_t start = 0;
  uint64_t length_bytes = 0;
  bool readable = false;
  bool writable = false;

  [[nodiscard]] bool contains(uint64_t address, uint64_t size_bytes) const {
    return address >= start && address - start <= length_bytes && size_bytes <= length_bytes - (address - start);
  }
};

/// What a hart sees of the rest of the machine. Values are little-endian and right-aligned.
class Bus {
 public:
  virtual ~Bus() = default;

  /// Reads `size_bytes` (1, 2, 4 or 8) at a naturally aligned address. `value` is set only on kOk.
  [[nodiscard]] virtual BusStatus load(uint64_t address, unsigned size_bytes, uint64_t& value) = 0;

  /// Writes the low `size_bytes` (1, 2, 4 or 8) of `value` at a naturally aligned address.
  [[nodiscard]] virtual BusStatus store(uint64_t address, unsigned size_bytes, uint64_t value) = 0;

  /// The side-effect-free memory around `address`, or nothing where each access must be a transaction. A region stays
  /// usable until Hart::flush_direct_memory().
  [[nodiscard]] virtual std::optional<DirectRegion> direct(uint64_t address) = 0;
};

}  // namespace npuvp::riscv
