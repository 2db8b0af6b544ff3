// SPDX-License-Identifier: Apache-2.0
#include "models/noc/address_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace npuvp::noc {

AddressMap::AddressMap(std::vector<Range> ranges, unsigned targets) : ranges_(std::move(ranges)) {
  std::sort(ranges_.begin(), ranges_.end(), [](const Range& a, const Range& b) { return a.base < b.base; });
  const Range* previous = nullptr;
  for (const auto& range : ranges_) {
    if (range.bytes == 0 || range.last() < range.base) {
      throw std::invalid_argument(fmt::format("window {} at {:#x} is empty or wraps around", range.name, range.base));
    }
    if (range.target >= targets) {
      throw std::invalid_argument(
          fmt::format("window {} names target port {}, there are {}", range.name, range.target, targets));
    }
    if (previous != nullptr && range.base <= previous->last()) {
      throw std::invalid_argument(
          fmt::format("windows {} and {} overlap at {:#x}", previous->name, range.name, range.base));
    }
    previous = &range;
  }
}

const Range* AddressMap::find(uint64_t address) const {
  if (last_found_ != nullptr && address - last_found_->base < last_found_->bytes) return last_found_;
  const auto next = std::upper_bound(ranges_.begin(), ranges_.end(), address,
                                     [](uint64_t at, const Range& range) { return at < range.base; });
  if (next == ranges_.begin()) return nullptr;
  const auto& candidate = *std::prev(next);
  if (address > candidate.last()) return nullptr;
  last_found_ = &candidate;
  return last_found_;
}

}  // namespace npuvp::noc
