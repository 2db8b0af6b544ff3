// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/capabilities/sriov_capability.h"

#include <algorithm>
#include <bit>

namespace npuvp::pcie {
namespace {

constexpr uint64_t kSmallestPageBytes = 4096;

}  // namespace

SriovCapability::SriovCapability(base::Environment& environment, const std::string& instance,
                                 const SriovParameters& parameters)
    : registers(environment, instance, base::RegisterBank::Rules::kBytewise),
      parameters_(parameters),
      bars_(std::span(registers.VF_BAR)) {
  sc_assert(parameters.total_vfs > 0);
  sc_assert(parameters.total_vfs == 1 || parameters.vf_stride > 0);
  auto& r = registers;
  r.CAPABILITIES.TAG_10_BIT_REQUESTER.set(parameters.tag_10_bit_requester);
  r.CAPABILITIES.set_reset(r.CAPABILITIES.get());
  if (!parameters.tag_10_bit_requester) r.CONTROL.implement_only(~r.CONTROL.TAG_10_BIT_ENABLE.mask());
  r.INITIAL_VFS.set_reset(parameters.total_vfs);
  r.TOTAL_VFS.set_reset(parameters.total_vfs);
  r.DEPENDENCY_LINK.set_reset(parameters.dependency_link);
  r.FIRST_VF_OFFSET.set_reset(parameters.first_vf_offset);
  r.VF_STRIDE.set_reset(parameters.vf_stride);
  r.VF_DEVICE_ID.set_reset(parameters.vf_device_id);
  for (const auto& bar : parameters.bars) {
    sc_assert(bar.bytes >= kSmallestPageBytes);
    bars_.add(bar);
  }

  r.CONTROL.on_write([this](const base::RegisterWrite&) { tell_changes(); });
  r.NUM_VFS.on_write([this](const base::RegisterWrite& write) {
    auto& vfs = registers.NUM_VFS;
    if (is_enabled() || vfs.get() > parameters_.total_vfs) vfs.set(write.before);
  });
  r.SYSTEM_PAGE_SIZE.on_write([this](const base::RegisterWrite& write) {
    auto& size = registers.SYSTEM_PAGE_SIZE;
    const bool is_supported = (size.get() & ~registers.SUPPORTED_PAGE_SIZES.get()) == 0;
    if (is_enabled() || !is_supported || !std::has_single_bit(size.get())) size.set(write.before);
    size_apertures();
  });
}

void SriovCapability::size_apertures() {
  const uint64_t page_bytes = kSmallestPageBytes * registers.SYSTEM_PAGE_SIZE.get();
  for (const auto& bar : parameters_.bars) bars_.resize(bar.index, std::max(bar.bytes, page_bytes));
}

void SriovCapability::tell_changes() {
  const bool is_same = told_vf_count_ == vf_count() && told_memory_space_ == memory_space();
  told_vf_count_ = vf_count();
  told_memory_space_ = memory_space();
  if (!is_same && on_change_) on_change_();
}

void SriovCapability::reset(ResetKind kind) {
  // 9.3.3.3.5: a function-level reset leaves this bit alone.
  const KeptBits hierarchy(registers.CONTROL, registers.CONTROL.ARI_CAPABLE_HIERARCHY.mask());
  Capability::reset(kind);
  if (kind == ResetKind::kFunctionLevel) hierarchy.restore();
  size_apertures();
  tell_changes();
}

unsigned SriovCapability::vf_count() const {
  return is_enabled() ? static_cast<unsigned>(registers.NUM_VFS.get()) : 0;
}

uint16_t SriovCapability::routing_id(uint16_t physical_function, unsigned vf) const {
  return static_cast<uint16_t>(physical_function + parameters_.first_vf_offset + vf * parameters_.vf_stride);
}

std::optional<SriovCapability::Hit> SriovCapability::decode(uint64_t address, uint64_t bytes) const {
  if (!memory_space()) return std::nullopt;
  for (const auto& bar : parameters_.bars) {
    if (bytes > bar.bytes) continue;
    const uint64_t from_first = address - bar_base(bar.index);  // wraps below the base, beyond every VF
    const uint64_t vf = from_first / aperture_bytes(bar.index);
    const uint64_t offset = from_first % aperture_bytes(bar.index);
    if (vf < vf_count() && offset <= bar.bytes - bytes) return Hit{static_cast<unsigned>(vf), bar.index, offset};
  }
  return std::nullopt;
}

}  // namespace npuvp::pcie
