// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/base_address_registers.h"

#include <bit>
#include <systemc>

namespace npuvp::pcie {
namespace {

constexpr uint64_t kIs64Bit = 0x4;
constexpr uint64_t kPrefetchable = 0x8;
constexpr uint64_t kFlags = 0xf;

}  // namespace

BaseAddressRegisters::BaseAddressRegisters(Type0Registers& header) : header_(header) {
  for (unsigned index = 0; index < header_.BAR.size(); ++index) {
    auto& bar = header_.BAR[index];
    bar.on_write(
        [this, index, &bar](const base::RegisterWrite&) { bar.set((bar.get() & writable_[index]) | fixed_[index]); });
  }
}

void BaseAddressRegisters::add(const BarParameters& bar) {
  sc_assert(bar.index + (bar.is_64bit ? 1 : 0) < bars_.size());
  sc_assert(std::has_single_bit(bar.bytes) && bar.bytes >= 16);
  sc_assert(bar.is_64bit || bar.bytes <= 1ULL << 31);
  bars_[bar.index] = bar;
  const uint64_t mask = ~(bar.bytes - 1);
  writable_[bar.index] = mask & 0xffff'ffff;
  fixed_[bar.index] = (bar.is_64bit ? kIs64Bit : 0) | (bar.prefetchable ? kPrefetchable : 0);
  header_.BAR[bar.index].set_reset(fixed_[bar.index]);
  if (bar.is_64bit) writable_[bar.index + 1] = mask >> 32;
}

uint64_t BaseAddressRegisters::base(unsigned index) const {
  const uint64_t low = header_.BAR[index].get() & ~kFlags;
  return bars_[index].is_64bit ? low | header_.BAR[index + 1].get() << 32 : low;
}

std::optional<BaseAddressRegisters::Hit> BaseAddressRegisters::decode(uint64_t address, uint64_t bytes) const {
  for (const auto& bar : bars_) {
    if (bar.bytes == 0 || bytes > bar.bytes) continue;
    const uint64_t offset = address - base(bar.index);  // wraps below the base, so that one comparison suffices
    if (offset <= bar.bytes - bytes) return Hit{bar.index, offset};
  }
  return std::nullopt;
}

}  // namespace npuvp::pcie
