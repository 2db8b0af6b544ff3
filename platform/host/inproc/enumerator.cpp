// SPDX-License-Identifier: Apache-2.0
#include "platform/host/inproc/enumerator.h"

#include <algorithm>

#include "platform/host/inproc/inproc_host.h"
#include "platform/host/inproc/pci_registers.h"

namespace npuvp::host {
namespace {

constexpr uint64_t kMemory32Base = 0x8000'0000;
constexpr uint64_t kMemory64Base = 0x80'0000'0000;
constexpr uint64_t kBridgeWindowBytes = 1 << 20;  // granularity of type 1 memory windows

constexpr uint32_t kMaxPayloadMask = 0x7;  // DEVICE_CAPABILITIES; in DEVICE_CONTROL from bit 5
constexpr unsigned kMaxPayloadShift = 5;
constexpr uint32_t kRootPort = 4;  // EXPRESS_CAPABILITIES bits 7:4
constexpr uint32_t kExtendedTagSupported = 0x20;

uint64_t align_up(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

uint16_t at(unsigned base, unsigned offset) {
  return static_cast<uint16_t>(base + offset);
}

}  // namespace

void Enumerator::run() {
  next32_ = kMemory32Base;
  next64_ = kMemory64Base;
  Above nothing;
  walk(0, nothing);
}

void Enumerator::walk(uint8_t bus, Above& above) {
  for (unsigned devfn = 0; devfn < 256; ++devfn) {
    const auto bdf = static_cast<uint16_t>((unsigned{bus} << 8) | devfn);
    if (host_.config_read(bdf, pci::kVendorId, 2) == 0xffff) {
      if (devfn % 8 == 0) devfn += 7;  // no function 0: no device
      continue;
    }
    const uint32_t header = host_.config_read(bdf, pci::kHeaderType, 1);
    if ((header & 0x7f) == 1) {
      configure_bridge(bdf, above);
    } else {
      configure_endpoint(bdf, above);
    }
    if (devfn % 8 == 0 && (header & 0x80) == 0) devfn += 7;  // single function
  }
}

uint32_t Enumerator::max_payload(uint16_t bdf, uint16_t express) {
  return host_.config_read(bdf, at(express, pci::kDeviceControl), 2) >> kMaxPayloadShift & kMaxPayloadMask;
}

void Enumerator::set_max_payload(uint16_t bdf, uint16_t express, uint32_t encoded) {
  const uint32_t mask = kMaxPayloadMask << kMaxPayloadShift;
  host_.config_change(bdf, at(express, pci::kDeviceControl), mask, encoded << kMaxPayloadShift);
}

/// What bridges and endpoints have in common.
void Enumerator::configure_device(uint16_t bdf, uint16_t express, Above& above) {
  const uint32_t capabilities = host_.config_read(bdf, at(express, pci::kDeviceCapabilities), 4);
  if (above.express != 0) {
    const uint32_t most = capabilities & kMaxPayloadMask;
    const uint32_t type = host_.config_read(above.bdf, at(above.express, pci::kExpressFlags), 2) >> 4 & 0xf;
    if (most < above.max_payload && type == kRootPort) {
      set_max_payload(above.bdf, above.express, most);
      above.max_payload = most;
    }
    set_max_payload(bdf, express, std::min(most, above.max_payload));
  }
  uint32_t control = pci::kErrorReporting;
  if ((capabilities & kExtendedTagSupported) != 0) control |= pci::kExtendedTag;
  host_.config_change(bdf, at(express, pci::kDeviceControl), control, control);
}

void Enumerator::configure_bridge(uint16_t bdf, Above& above) {
  const auto express = host_.find_capability(bdf, pci::kExpress);
  configure_device(bdf, express, above);
  const uint8_t secondary = ++last_bus_;
  host_.config_write(bdf, pci::kPrimaryBus, bdf >> 8, 1);
  host_.config_write(bdf, pci::kSecondaryBus, secondary, 1);
  host_.config_write(bdf, pci::kSubordinateBus, 0xff, 1);
  host_.config_change(bdf, pci::kBridgeControl, pci::kBridgeControlSerr, pci::kBridgeControlSerr);
  if (const auto aer = host_.find_extended_capability(bdf, pci::kAer); aer != 0 && bdf >> 8 == 0) {
    host_.config_write(bdf, at(aer, pci::kRootErrorCommand), 0x7, 4);
  }

  const size_t index = bridges_.size();
  bridges_.push_back({bdf, secondary, secondary});
  const uint64_t base32 = next32_ = align_up(next32_, kBridgeWindowBytes);
  const uint64_t base64 = next64_ = align_up(next64_, kBridgeWindowBytes);
  Above here{bdf, express, max_payload(bdf, express)};
  walk(secondary, here);
  bridges_[index].subordinate = last_bus_;
  host_.config_write(bdf, pci::kSubordinateBus, last_bus_, 1);
  next32_ = align_up(next32_, kBridgeWindowBytes);
  next64_ = align_up(next64_, kBridgeWindowBytes);
  set_windows(bdf, base32, base64);
  host_.config_change(bdf, pci::kCommand, pci::kCommandMemoryAndMaster, pci::kCommandMemoryAndMaster);
}

/// From the bases to what is taken by now. An empty window has its limit below its base.
void Enumerator::set_windows(uint16_t bdf, uint64_t base32, uint64_t base64) {
  const uint64_t limit32 = next32_ - 1;
  const uint64_t limit64 = next64_ - 1;
  const auto window = [](uint64_t base, uint64_t limit) {
    return static_cast<uint32_t>(((base >> 16) & 0xfff0) | (limit & 0xfff0'0000));
  };
  host_.config_write(bdf, pci::kMemoryBase, window(base32, limit32), 4);
  host_.config_write(bdf, pci::kPrefetchableBase, window(base64, limit64), 4);
  host_.config_write(bdf, pci::kPrefetchableBaseUpper, static_cast<uint32_t>(base64 >> 32), 4);
  host_.config_write(bdf, pci::kPrefetchableLimitUpper, static_cast<uint32_t>(limit64 >> 32), 4);
}

void Enumerator::configure_endpoint(uint16_t bdf, Above& above) {
  PciFunction function;
  function.bdf = bdf;
  function.vendor_id = static_cast<uint16_t>(host_.config_read(bdf, pci::kVendorId, 2));
  function.device_id = static_cast<uint16_t>(host_.config_read(bdf, pci::kDeviceId, 2));
  place_bars(bdf, pci::kBar0, 1, function.bars, function.bar_bytes);
  if (const auto express = host_.find_capability(bdf, pci::kExpress); express != 0) {
    configure_device(bdf, express, above);
  }
  prepare_virtual_functions(function, above);
  host_.config_change(bdf, pci::kCommand, pci::kCommandMemoryAndMaster, pci::kCommandMemoryAndMaster);
  functions_.push_back(function);
}

void Enumerator::prepare_virtual_functions(PciFunction& function, const Above& above) {
  const auto ari = host_.find_extended_capability(function.bdf, pci::kAri);
  bool has_ari = false;
  if (ari != 0 && above.express != 0) {
    has_ari =
        (host_.config_read(above.bdf, at(above.express, pci::kDeviceCapabilities2), 4) & pci::kAriForwarding) != 0;
    if (has_ari) {
      host_.config_change(above.bdf, at(above.express, pci::kDeviceControl2), pci::kAriForwarding, pci::kAriForwarding);
    }
  }
  function.sriov = host_.find_extended_capability(function.bdf, pci::kSriov);
  if (function.sriov == 0) return;
  const auto total = host_.config_read(function.bdf, at(function.sriov, pci::kSriovTotalVfs), 2);
  function.total_vfs = static_cast<uint16_t>(total);
  place_bars(function.bdf, at(function.sriov, pci::kSriovBar0), total, function.vf_bars, function.vf_bar_bytes);
  if (has_ari) host_.config_write(function.bdf, at(function.sriov, pci::kSriovControl), pci::kSriovAri, 2);
}

void Enumerator::place_bars(uint16_t bdf, uint16_t first, uint64_t copies, std::array<uint64_t, 6>& addresses,
                            std::array<uint64_t, 6>& sizes) {
  for (unsigned bar = 0; bar < addresses.size(); ++bar) {
    const auto offset = at(first, bar * 4);
    const auto upper = at(offset, 4);
    host_.config_write(bdf, offset, ~0U, 4);
    const uint32_t low = host_.config_read(bdf, offset, 4);
    if (low == 0 || (low & 1) != 0) continue;  // not there, or I/O space
    const bool wide = (low & 0x6) == 0x4;
    const bool prefetchable = (low & 0x8) != 0;
    uint64_t mask = low & ~0xfU;
    if (wide) {
      host_.config_write(bdf, upper, ~0U, 4);
      mask |= uint64_t{host_.config_read(bdf, upper, 4)} << 32;
    } else {
      mask |= 0xffff'ffff'0000'0000;
    }
    const uint64_t bytes = ~mask + 1;
    uint64_t& next = wide && prefetchable ? next64_ : next32_;
    const uint64_t address = align_up(next, bytes);
    next = address + bytes * copies;
    host_.config_write(bdf, offset, static_cast<uint32_t>(address), 4);
    if (wide) host_.config_write(bdf, upper, static_cast<uint32_t>(address >> 32), 4);
    addresses.at(bar) = address;
    sizes.at(bar) = bytes;
    if (wide) ++bar;
  }
}

}  // namespace npuvp::host
