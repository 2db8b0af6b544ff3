// SPDX-License-Identifier: Apache-2.0
#include "platform/assembly/address_space.h"

#include <algorithm>
#include <bit>

#include "firmware/abi/memory_map.h"

namespace npuvp::assembly {
namespace {

constexpr uint64_t kMib = 1 << 20;
constexpr unsigned kLeastBuses = 8;
/// pci_hotplug_mmio_size and pci_hotplug_mmio_pref_size of the kernel.
constexpr uint64_t kSlotBytes = 2 * kMib;
constexpr uint64_t kLeastMemoryBytes = 64 * kMib;
constexpr uint64_t kLeastPrefetchableBytes = 1024 * kMib;

size_t buses_below(const std::vector<config::PortConfig>& ports) {
  size_t buses = ports.size();
  for (const auto& port : ports) {
    const auto* below = std::get_if<std::unique_ptr<config::SwitchConfig>>(&port.below);
    if (below != nullptr) buses += 1 + buses_below((*below)->ports);
  }
  return buses;
}

uint64_t align_up(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

}  // namespace

AddressSpace address_space(const config::ServerConfig& config) {
  const auto buses = static_cast<unsigned>(1 + buses_below(config.root_ports));
  uint64_t memory = 0;
  uint64_t prefetchable = 0;
  uint64_t largest = 0;
  for (const auto& card : config.cards) {
    const auto& pcie = card.pcie;
    const uint64_t functions = 1 + uint64_t{pcie.virtual_functions};
    const uint64_t bar2 = pcie.aperture_mib * kMib;
    const uint64_t virtual_bars = uint64_t{pcie.virtual_functions} * pcie.virtual_aperture_mib * kMib;
    memory += std::max(align_up(functions * NPU_BAR0_BYTES, kMib), kSlotBytes);
    prefetchable += std::max(align_up(bar2 + virtual_bars, bar2), kSlotBytes);
    largest = std::max<uint64_t>(largest, pcie.aperture_most_mib * kMib);
  }
  // The enlarged BAR2 starts at a multiple of its size: up to as much again is lost below it.
  return {.buses = std::bit_ceil(std::max(buses, kLeastBuses)),
          .memory_bytes = std::bit_ceil(std::max(2 * memory, kLeastMemoryBytes)),
          .prefetchable_bytes = std::bit_ceil(std::max(prefetchable + 2 * largest, kLeastPrefetchableBytes))};
}

}  // namespace npuvp::assembly
