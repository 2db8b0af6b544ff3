// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace npuvp::noc {

/// A window of an interconnect's address space and the target port that serves it.
struct Range {
  std::string name;
  uint64_t base = 0;
  uint64_t bytes = 0;
  unsigned target = 0;
  /// Address of the window's first byte as the target sees it: 0 for a block, `base` for a bus behind this one.
  uint64_t base_at_target = 0;

  [[nodiscard]] uint64_t last() const { return base + (bytes - 1); }
  [[nodiscard]] uint64_t to_target(uint64_t address) const { return address - base + base_at_target; }
};

/// The decoder of an interconnect.
class AddressMap {
 public:
  /// Throws std::invalid_argument naming the windows if one is empty, wraps, overlaps another or has no target port.
  AddressMap(std::vector<Range> ranges, unsigned targets);
  AddressMap(const AddressMap&) = delete;
  AddressMap& operator=(const AddressMap&) = delete;

  /// The window that holds `address`, or nullptr.
  [[nodiscard]] const Range* find(uint64_t address) const;

  /// In order of address.
  [[nodiscard]] const std::vector<Range>& ranges() const { return ranges_; }

 private:
  std::vector<Range> ranges_;
  mutable const Range* last_found_ = nullptr;  // bursts come in rows
};

}  // namespace npuvp::noc
