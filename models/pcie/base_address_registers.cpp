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

BaseAddressRegisters::BaseAddressRegisters(std::span<base::Register, kCount> registers) : registers_(registers) {
  for (unsigned index = 0; index < kCount; ++index) {
    registers_[index].on_write([this, index](const base::RegisterWrite&) { keep_implemented_bits(index); });
  }
}

void BaseAddressRegisters::add(const BarParameters& bar) {
  sc_assert(bar.index + (bar.is_64bit ? 1 : 0) < kCount);
  bars_[bar.index] = bar;
  fixed_[bar.index] = (bar.is_64bit ? kIs64Bit : 0) | (bar.prefetchable ? kPrefetchable : 0);
  registers_[bar.index].set_reset(fixed_[bar.index]);
  resize(bar.index, bar.bytes);
}

void BaseAddressRegisters::resize(unsigned index, uint64_t bytes) {
  auto& bar = bars_[index];
  sc_assert(bar.bytes > 0 && std::has_single_bit(bytes) && bytes >= 16);
  sc_assert(bar.is_64bit || bytes <= 1ULL << 31);
  bar.bytes = bytes;
  const uint64_t mask = ~(bytes - 1);
  writable_[index] = mask & 0xffff'ffff;
  keep_implemented_bits(index);
  if (!bar.is_64bit) return;
  writable_[index + 1] = mask >> 32;
  keep_implemented_bits(index + 1);
}

void BaseAddressRegisters::keep_implemented_bits(unsigned index) {
  auto& bar = registers_[index];
  bar.set((bar.get() & writable_[index]) | fixed_[index]);
}

uint64_t BaseAddressRegisters::base(unsigned index) const {
  const uint64_t low = registers_[index].get() & ~kFlags;
  return bars_[index].is_64bit ? low | registers_[index + 1].get() << 32 : low;
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
