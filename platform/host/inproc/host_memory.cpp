// SPDX-License-Identifier: Apache-2.0
#include "platform/host/inproc/host_memory.h"

#include <algorithm>
#include <new>

namespace npuvp::host {
namespace {

uint64_t whole_pages(uint64_t bytes) {
  return (std::max<uint64_t>(bytes, 1) + HostMemory::kPageBytes - 1) / HostMemory::kPageBytes * HostMemory::kPageBytes;
}

}  // namespace

HostMemory::HostMemory(uint64_t base, uint64_t bytes) : base_(base), memory_(bytes), free_{{0, bytes}} {}

HostMemory::Block HostMemory::allocate(uint64_t bytes) {
  if (bytes > memory_.size()) throw std::bad_alloc();
  const uint64_t needed = whole_pages(bytes);
  const auto hole = std::find_if(free_.begin(), free_.end(), [&](const auto& each) { return each.second >= needed; });
  if (hole == free_.end()) throw std::bad_alloc();
  const auto [offset, hole_bytes] = *hole;
  free_.erase(hole);
  if (hole_bytes > needed) free_[offset + needed] = hole_bytes - needed;
  const auto span = memory_.span(offset, bytes);
  std::fill(span.begin(), span.end(), uint8_t{0});
  return {base_ + offset, span};
}

void HostMemory::free(const Block& block) {
  uint64_t offset = block.bus_address - base_;
  uint64_t bytes = whole_pages(block.bytes.size());
  auto next = free_.lower_bound(offset);
  if (next != free_.end() && next->first == offset + bytes) {
    bytes += next->second;
    next = free_.erase(next);
  }
  if (next != free_.begin()) {
    const auto previous = std::prev(next);
    if (previous->first + previous->second == offset) {
      previous->second += bytes;
      return;
    }
  }
  free_[offset] = bytes;
}

std::span<uint8_t> HostMemory::at(uint64_t bus_address, uint64_t bytes) {
  if (bus_address < base_ || !memory_.contains(bus_address - base_, bytes)) return {};
  return memory_.span(bus_address - base_, bytes);
}

}  // namespace npuvp::host
