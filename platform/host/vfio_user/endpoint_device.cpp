// SPDX-License-Identifier: Apache-2.0
#include "platform/host/vfio_user/endpoint_device.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "platform/host/vfio_user/protocol.h"

namespace npuvp::host {
namespace {

using sc_core::sc_time;

constexpr uint8_t kBus = 1;
constexpr uint64_t kFunction = uint64_t{kBus} << 20;  // 01:00.0 in the root complex's configuration space

/// Our addresses: beyond what any processor's 52 address bits reach, so that none is also one of guest memory.
constexpr uint64_t kFirstAddress = 0xff00'0000'0000'0000;
constexpr unsigned kBarShift = 48;  // of a BAR's number in them
constexpr unsigned kWindowShift = 20;
constexpr uint64_t kWindowMask = 0xfff;

// Configuration space, PCI Express Base Specification 7.5.1, 7.5.3 and 7.7.2.
constexpr unsigned kBar0 = 0x10;
constexpr uint32_t kBarFlags = 0xf;
[[maybe_unused]] constexpr uint32_t kBar64 = 0x4;
constexpr unsigned kCapabilities = 0x34;
constexpr unsigned kMostCapabilities = 48;  // that fit
constexpr uint32_t kExpressId = 0x10;
constexpr unsigned kDeviceControl = 0x08;
constexpr uint32_t kInitiateReset = 0x8000;
constexpr uint32_t kMsixId = 0x11;
constexpr unsigned kMsixTable = 0x04;
constexpr uint32_t kMsixBar = 0x7;

// An entry of the MSI-X table.
constexpr uint64_t kEntryBytes = 16;
constexpr uint32_t kMasked = 1;

}  // namespace

class EndpointDevice::ClientBars {
 public:
  explicit ClientBars(EndpointDevice& device)
      : device_(device), registers_(device.endpoint_.physical_function().header().BAR) {
    // Else a reset has come over the function, and its BARs are as the client has to find them.
    if (get() == device_.our_bars_) set(device_.client_bars_);
  }
  ~ClientBars() {
    device_.client_bars_ = get();
    set(device_.our_bars_);
    device_.program_vectors();
    // Software gives both ends of a link the same payload size.
    const auto& control = device_.endpoint_.physical_function().express().registers.DEVICE_CONTROL;
    device_.port_.express().registers.DEVICE_CONTROL.MAX_PAYLOAD.set(control.MAX_PAYLOAD.get());
  }
  ClientBars(const ClientBars&) = delete;
  ClientBars& operator=(const ClientBars&) = delete;

 private:
  [[nodiscard]] std::array<uint32_t, kBars> get() const {
    std::array<uint32_t, kBars> values;
    for (size_t bar = 0; bar < kBars; ++bar) values[bar] = static_cast<uint32_t>(registers_[bar].get());
    return values;
  }
  void set(const std::array<uint32_t, kBars>& values) {
    for (size_t bar = 0; bar < kBars; ++bar) registers_[bar].set(values[bar]);
  }

  EndpointDevice& device_;
  std::span<base::Register, kBars> registers_;
};

EndpointDevice::EndpointDevice(sc_core::sc_module_name module_name, base::Environment& environment,
                               pcie::RootComplex& root_complex, pcie::DownstreamPort& port, pcie::Endpoint& endpoint)
    : FabricDevice(module_name, environment, root_complex), port_(port), endpoint_(endpoint) {}

uint32_t EndpointDevice::config_read(unsigned offset, unsigned bytes) {
  uint32_t value = 0;
  sc_time delay;
  config_port().read(kFunction + offset, {reinterpret_cast<uint8_t*>(&value), bytes}, delay);
  return value;
}

void EndpointDevice::config_write(unsigned offset, uint32_t value, unsigned bytes) {
  sc_time delay;
  config_port().write(kFunction + offset, {reinterpret_cast<const uint8_t*>(&value), bytes}, delay);
}

void EndpointDevice::start_of_simulation() {
  program_port();
  find_capabilities();
  size_bars();
  const ClientBars set_up(*this);
}

void EndpointDevice::program_port() {
  auto& bridge = port_.header();
  bridge.SECONDARY_BUS.set(kBus);
  bridge.SUBORDINATE_BUS.set(kBus);
  // An empty window has its limit below its base; the other one holds all our addresses.
  bridge.MEMORY_BASE.ADDRESS.set(kWindowMask);
  bridge.MEMORY_LIMIT.ADDRESS.set(0);
  bridge.PREFETCHABLE_BASE.ADDRESS.set(kFirstAddress >> kWindowShift & kWindowMask);
  bridge.PREFETCHABLE_BASE_UPPER.set(kFirstAddress >> 32);
  bridge.PREFETCHABLE_LIMIT.ADDRESS.set(kWindowMask);
  bridge.PREFETCHABLE_LIMIT_UPPER.set(~0U);
  bridge.COMMAND.MEMORY_SPACE.set(1);
  bridge.COMMAND.BUS_MASTER.set(1);
}

void EndpointDevice::find_capabilities() {
  unsigned at = config_read(kCapabilities, 1);
  for (unsigned count = 0; at != 0 && count < kMostCapabilities; ++count) {
    const uint32_t id = config_read(at, 1);
    if (id == kExpressId) device_control_ = at + kDeviceControl;
    if (id == kMsixId) {
      const uint32_t table = config_read(at + kMsixTable, 4);
      msix_table_ = {.region = table & kMsixBar, .offset = table & ~kMsixBar, .bytes = vectors() * kEntryBytes};
    }
    at = config_read(at + 1, 1);
  }
  sc_assert(device_control_ != 0);
}

void EndpointDevice::size_bars() {
  for (size_t bar = 0; bar < kBars; bar += 2) {
    const auto low = static_cast<unsigned>(kBar0 + bar * 4);
    const uint32_t flags = config_read(low, 4) & kBarFlags;
    config_write(low, ~0U, 4);
    config_write(low + 4, ~0U, 4);
    const uint64_t mask = uint64_t{config_read(low + 4, 4)} << 32 | (config_read(low, 4) & ~kBarFlags);
    config_write(low, 0, 4);
    config_write(low + 4, 0, 4);
    if (mask == 0) continue;
    sc_assert((flags & kBar64) != 0);
    bar_bytes_[bar] = ~mask + 1;
    const uint64_t address = kFirstAddress | uint64_t{bar} << kBarShift;
    our_bars_[bar] = static_cast<uint32_t>(address) | flags;
    our_bars_[bar + 1] = static_cast<uint32_t>(address >> 32);
  }
}

void EndpointDevice::program_vectors() {
  if (!msix_table_) return;
  for (uint32_t vector = 0; vector < vectors(); ++vector) {
    const bool wanted = irq_eventfds().has(vfio_user::kIrqMsix, vector);
    const std::array<uint32_t, kEntryBytes / 4> entry{pcie::RootComplex::kInterruptBase, 0, vector,
                                                      wanted ? 0 : kMasked};
    std::array<uint8_t, kEntryBytes> bytes;
    std::memcpy(bytes.data(), entry.data(), bytes.size());
    // Not over the link: the client keeps the table, so there is no access of a guest that this would be.
    auto* table = endpoint_.physical_function().msix_table();
    table->write(msix_table_->region, msix_table_->offset + vector * kEntryBytes, bytes);
  }
}

uint64_t EndpointDevice::region_bytes(uint32_t region) const {
  if (region == vfio_user::kRegionConfig) return pcie::ConfigSpace::kBytes;
  return region < kBars ? bar_bytes_[region] : 0;
}

uint32_t EndpointDevice::vectors() const {
  return endpoint_.physical_function().vectors();
}

std::optional<std::pair<uint64_t, uint64_t>> EndpointDevice::part_in_table(uint32_t region, uint64_t offset,
                                                                           uint64_t bytes) const {
  if (!msix_table_ || region != msix_table_->region) return std::nullopt;
  const uint64_t begin = std::max(offset, msix_table_->offset);
  const uint64_t end = std::min(offset + bytes, msix_table_->offset + msix_table_->bytes);
  if (begin >= end) return std::nullopt;
  return std::pair(begin - offset, end - offset);
}

void EndpointDevice::read(uint32_t region, uint64_t offset, std::span<uint8_t> data) {
  sc_time delay;
  if (region == vfio_user::kRegionConfig) {
    const ClientBars bars(*this);
    config_port().read(kFunction + offset, data, delay);
  } else {
    memory_port().read((kFirstAddress | uint64_t{region} << kBarShift) + offset, data, delay);
    if (const auto part = part_in_table(region, offset, data.size())) {
      const auto table = data.subspan(part->first, part->second - part->first);
      std::fill(table.begin(), table.end(), uint8_t{0xff});
    }
  }
  if (delay != sc_core::SC_ZERO_TIME) wait(delay);
}

void EndpointDevice::write(uint32_t region, uint64_t offset, std::span<const uint8_t> data) {
  sc_time delay;
  if (region == vfio_user::kRegionConfig) {
    const ClientBars bars(*this);
    config_port().write(kFunction + offset, data, delay);
    return;
  }
  const uint64_t address = (kFirstAddress | uint64_t{region} << kBarShift) + offset;
  const auto part = part_in_table(region, offset, data.size()).value_or(std::pair(data.size(), data.size()));
  if (part.first > 0) memory_port().write(address, data.first(part.first), delay);
  if (part.second < data.size()) memory_port().write(address + part.second, data.subspan(part.second), delay);
}

void EndpointDevice::reset() {
  const ClientBars bars(*this);
  config_write(device_control_, config_read(device_control_, 2) | kInitiateReset, 2);
}

void EndpointDevice::power_cycle() {
  root_complex().fundamental_reset();
  program_port();
  const ClientBars bars(*this);
}

void EndpointDevice::irqs_changed(uint32_t irq) {
  if (irq == vfio_user::kIrqMsix) program_vectors();
}

}  // namespace npuvp::host
