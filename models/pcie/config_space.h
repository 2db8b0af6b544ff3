// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/pcie/capability.h"

namespace npuvp::pcie {

/// The 4 KiB configuration space of a function or bridge: a header and the capabilities that were added to it.
/// Accesses may have any size and alignment inside the space; bytes that belong to nothing read 0 and ignore writes.
class ConfigSpace {
 public:
  static constexpr unsigned kBytes = 4096;
  static constexpr unsigned kCapabilities = 0x40;
  static constexpr unsigned kExtendedCapabilities = 0x100;

  /// `header` has the layout of map type0, type1 or type0_virtual (registers/headers.yaml). Everything added must
  /// outlive the space.
  explicit ConfigSpace(base::RegisterBank& header);

  /// Appends to the capability list (offset 0x40 to 0xff) or, from 0x100 on, to the extended list, whose first entry
  /// must be at 0x100. `offset` is a multiple of 4, free, and above that of the capabilities of the same list.
  void add(Capability& capability, unsigned offset);

  /// [offset, offset + data.size()) must lie inside the space.
  void read(unsigned offset, std::span<uint8_t> data, const base::Origin& origin);
  void write(unsigned offset, std::span<const uint8_t> data, const base::Origin& origin);

  void reset(ResetKind kind);

 private:
  struct Placed {
    unsigned offset;
    unsigned bytes;
    base::RegisterBank* bank;
    Capability* capability;  // nullptr: the header

    [[nodiscard]] unsigned end() const { return offset + bytes; }
  };

  /// Calls `access` with each structure and the part of [offset, offset + bytes) that lies in it.
  template <typename Access>
  void for_each_part(unsigned offset, size_t bytes, Access access);

  std::vector<Placed> structures_;  // in order of offset
};

}  // namespace npuvp::pcie
