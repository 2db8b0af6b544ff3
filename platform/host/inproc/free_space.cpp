// SPDX-License-Identifier: Apache-2.0
#include "platform/host/inproc/free_space.h"

#include <algorithm>
#include <iterator>

namespace npuvp::host {

uint64_t FreeSpace::rounded(uint64_t size) const {
  return (std::max<uint64_t>(size, 1) + granule_ - 1) / granule_ * granule_;
}

std::optional<uint64_t> FreeSpace::take(uint64_t size, uint64_t limit) {
  const uint64_t needed = rounded(size);
  if (needed < size) return std::nullopt;
  const auto hole = std::find_if(holes_.begin(), holes_.end(), [&](const auto& each) {
    return each.second >= needed && each.first <= limit && limit - each.first >= needed;
  });
  if (hole == holes_.end()) return std::nullopt;
  const auto [begin, hole_size] = *hole;
  holes_.erase(hole);
  if (hole_size > needed) holes_[begin + needed] = hole_size - needed;
  return begin;
}

void FreeSpace::give_back(uint64_t begin, uint64_t size) {
  const auto [at, inserted] = holes_.emplace(begin, rounded(size));
  if (const auto next = std::next(at); next != holes_.end() && at->first + at->second == next->first) {
    at->second += next->second;
    holes_.erase(next);
  }
  if (at == holes_.begin()) return;
  if (const auto previous = std::prev(at); previous->first + previous->second == at->first) {
    previous->second += at->second;
    holes_.erase(at);
  }
}

std::shared_ptr<const FreeSpace::Taken> take_shared(const std::shared_ptr<FreeSpace>& space, uint64_t size,
                                                    uint64_t limit) {
  const auto begin = space->take(size, limit);
  return begin ? std::make_shared<const FreeSpace::Taken>(space, *begin, size) : nullptr;
}

}  // namespace npuvp::host
