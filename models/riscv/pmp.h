// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "models/riscv/privilege.h"

namespace npuvp::riscv {

/// Physical memory protection: 16 entries, OFF, TOR, NA4 and NAPOT, locking (Privileged ISA 1.12, section 3.7). With a
/// granularity above 4 bytes NA4 cannot be chosen and the address bits below the granularity do not take part.
class Pmp {
 public:
  static constexpr unsigned kEntries = 16;

  /// `granularity_bytes`: a power of two from 4 to 4096; std::invalid_argument otherwise.
  explicit Pmp(unsigned granularity_bytes = 4);

  void reset();

  /// The eight configuration bytes of pmpcfg0 (`first_entry` 0) or pmpcfg2 (8).
  [[nodiscard]] uint64_t read_config(unsigned first_entry) const;
  /// Locked entries keep their byte; R=0 W=1 is reserved and written as R=0 W=0.
  void write_config(unsigned first_entry, uint64_t value);

  /// Bits 55:2 of an address; below the granularity ones for NAPOT (but the top one) and zeros for OFF and TOR.
  [[nodiscard]] uint64_t read_address(unsigned entry) const;
  /// Ignored for a locked entry and for the base of a locked TOR entry.
  void write_address(unsigned entry, uint64_t value);

  /// Whether all of [address, address + size_bytes) may be accessed; size_bytes > 0.
  [[nodiscard]] bool allows(uint64_t address, uint64_t size_bytes, AccessType type, Privilege privilege) const;

  /// The answer of allows() for every access inside the range, or nothing where it depends on the access.
  [[nodiscard]] std::optional<bool> uniform(uint64_t address, uint64_t size_bytes, AccessType type,
                                            Privilege privilege) const;

 private:
  static constexpr uint8_t kRead = 1, kWrite = 2, kExecute = 4, kModeShift = 3, kLocked = 0x80;
  enum Mode : uint8_t { kOff = 0, kTor = 1, kNa4 = 2, kNapot = 3 };

  /// Bytes [first, last] an entry matches; `first > last` for none.
  struct Range {
    uint64_t first = 1;
    uint64_t last = 0;
  };

  [[nodiscard]] Mode mode(unsigned entry) const { return static_cast<Mode>((config_[entry] >> kModeShift) & 3); }
  [[nodiscard]] bool locked(unsigned entry) const { return (config_[entry] & kLocked) != 0; }
  [[nodiscard]] bool permits(unsigned entry, AccessType type, Privilege privilege) const;
  void update_ranges();

  uint64_t granule_mask_;  ///< Bits of a pmpaddr register below the granularity.
  std::array<uint8_t, kEntries> config_{};
  std::array<uint64_t, kEntries> address_{};
  std::array<Range, kEntries> range_{};
};

}  // namespace npuvp::riscv
