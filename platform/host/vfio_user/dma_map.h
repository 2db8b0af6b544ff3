// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "platform/base/unique_fd.h"

namespace npuvp::host::vfio_user {

/// Guest memory that the client has shared: regions of the guest's physical address space, mapped into this process.
/// Aligned accesses of 1, 2, 4 and 8 bytes are single accesses for the guest's CPUs.
class DmaMap {
 public:
  struct Region {
    uint64_t address;
    uint64_t bytes;
    bool readable;
    bool writable;
  };

  DmaMap() = default;
  ~DmaMap() { clear(); }
  DmaMap(const DmaMap&) = delete;
  DmaMap& operator=(const DmaMap&) = delete;

  /// Adds a region; `fd` without a descriptor: memory that cannot be shared, which every access fails on. Returns 0 or
  /// an errno: EINVAL (bounds, alignment to 4 KiB pages, not a file, file shorter than the region), EEXIST (overlaps
  /// another region), ENOSPC (too many), or what mmap() said.
  [[nodiscard]] int map(const Region& region, const UniqueFd& fd, uint64_t file_offset);

  /// Removes the region that was added with exactly this address and size; ENOENT if there is none.
  [[nodiscard]] int unmap(uint64_t address, uint64_t bytes);

  void clear();

  /// Copies guest memory; the range may go across adjacent regions. False if any part is not mapped with that right.
  [[nodiscard]] bool read(uint64_t address, std::span<uint8_t> data) const;
  [[nodiscard]] bool write(uint64_t address, std::span<const uint8_t> data);

  [[nodiscard]] size_t region_count() const { return regions_.size(); }
  /// Region that holds `address`, or nullptr.
  [[nodiscard]] const Region* find(uint64_t address) const;
  /// True if the region that holds `address` could not be shared by the client.
  [[nodiscard]] bool is_unshared(uint64_t address) const;

 private:
  struct Mapping {
    Region region;
    uint8_t* host;  // nullptr: not shared
  };

  [[nodiscard]] const Mapping* lookup(uint64_t address) const;
  /// Calls `copy(host pointer, bytes)` for each piece of the range, in order.
  template <typename Copy>
  [[nodiscard]] bool for_each_piece(uint64_t address, uint64_t bytes, bool write, Copy copy) const;

  std::vector<Mapping> regions_;  // in order of address, disjoint
  mutable size_t last_hit_ = 0;
};

}  // namespace npuvp::host::vfio_user
