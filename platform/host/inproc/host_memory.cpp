// SPDX-License-Identifier: Apache-2.0
#include "platform/host/inproc/host_memory.h"

#include <algorithm>
#include <new>

namespace npuvp::host {
HostMemory::HostMemory(uint64_t base, uint64_t bytes) : base_(base), memory_(bytes), free_(0, bytes, kPageBytes) {}

HostMemory::Block HostMemory::allocate(uint64_t bytes) {
  const auto offset = free_.take(bytes);
  if (!offset) throw std::bad_alloc();
  const auto span = memory_.span(*offset, bytes);
  std::fill(span.begin(), span.end(), uint8_t{0});
  return {base_ + *offset, span};
}

void HostMemory::free(const Block& block) {
  free_.give_back(block.bus_address - base_, block.bytes.size());
}

std::span<uint8_t> HostMemory::at(uint64_t bus_address, uint64_t bytes) {
  if (bus_address < base_ || !memory_.contains(bus_address - base_, bytes)) return {};
  return memory_.span(bus_address - base_, bytes);
}

}  // namespace npuvp::host
