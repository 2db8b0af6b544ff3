// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/capabilities/resizable_bar_capability.h"

#include <bit>

namespace npuvp::pcie {
namespace {

constexpr unsigned kSmallestSizeLog2 = 20;  // 1 MiB, bit 4 of CAPABILITY
constexpr unsigned kLargeSizeLog2 = 48;     // 256 TiB, bit 16 of CONTROL

/// 0 for a code beyond 8 EiB.
uint64_t size_of(uint64_t code) {
  return code + kSmallestSizeLog2 < 64 ? 1ULL << (code + kSmallestSizeLog2) : 0;
}

uint64_t code_of(uint64_t bytes) {
  return static_cast<uint64_t>(std::countr_zero(bytes)) - kSmallestSizeLog2;
}

}  // namespace

ResizableBarCapability::ResizableBarCapability(base::Environment& environment, const std::string& instance,
                                               BaseAddressRegisters& bars, std::vector<ResizableBar> resizable)
    : registers(environment, instance, base::RegisterBank::Rules::kBytewise),
      bars_(bars),
      resizable_(std::move(resizable)) {
  sc_assert(!resizable_.empty() && resizable_.size() <= registers.CONTROL.size());
  for (size_t entry = 0; entry < registers.CONTROL.size(); ++entry) {
    auto& capability = registers.CAPABILITY[entry];
    auto& control = registers.CONTROL[entry];
    if (entry >= resizable_.size()) {
      control.implement_only(0);
      continue;
    }
    const auto& bar = resizable_[entry];
    const uint64_t bytes = bars_.parameters(bar.index).bytes;
    sc_assert((bar.sizes & bytes) != 0 && bar.sizes % (1ULL << kSmallestSizeLog2) == 0);
    capability.SIZES.set(bar.sizes >> kSmallestSizeLog2);
    capability.set_reset(capability.get());
    control.BAR_INDEX.set(bar.index);
    control.BARS.set(entry == 0 ? resizable_.size() : 0);
    control.BAR_SIZE.set(code_of(bytes));
    control.LARGE_SIZES.set(bar.sizes >> kLargeSizeLog2);
    control.set_reset(control.get());
    control.on_write([this, entry](const base::RegisterWrite& write) {
      auto& written = registers.CONTROL[entry];
      if ((size_of(written.BAR_SIZE.get()) & resizable_[entry].sizes) == 0) written.set(write.before);
      apply(entry);
    });
  }
}

unsigned ResizableBarCapability::bytes() {
  return static_cast<unsigned>(registers.CAPABILITY[0].info().offset + 8 * resizable_.size());
}

void ResizableBarCapability::apply(size_t entry) {
  const unsigned bar = resizable_[entry].index;
  const uint64_t bytes = size_of(registers.CONTROL[entry].BAR_SIZE.get());
  if (bytes == bars_.parameters(bar).bytes) return;
  bars_.resize(bar, bytes);
  if (on_resize_) on_resize_(bar, bytes);
}

void ResizableBarCapability::reset(ResetKind kind) {
  Capability::reset(kind);
  for (size_t entry = 0; entry < resizable_.size(); ++entry) apply(entry);
}

}  // namespace npuvp::pcie
