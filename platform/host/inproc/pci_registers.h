// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// Registers of configuration space that a host's software uses; PCI Express Base Specification, chapters 7.5 to 7.9
/// and 9.3. By number, as in the specification: not from the models' own description.
namespace npuvp::host::pci {

// Headers.
inline constexpr uint16_t kVendorId = 0x00;
inline constexpr uint16_t kDeviceId = 0x02;
inline constexpr uint16_t kCommand = 0x04;
inline constexpr uint16_t kHeaderType = 0x0e;
inline constexpr uint16_t kBar0 = 0x10;
inline constexpr uint16_t kPrimaryBus = 0x18;
inline constexpr uint16_t kSecondaryBus = 0x19;
inline constexpr uint16_t kSubordinateBus = 0x1a;
inline constexpr uint16_t kMemoryBase = 0x20;
inline constexpr uint16_t kPrefetchableBase = 0x24;
inline constexpr uint16_t kPrefetchableBaseUpper = 0x28;
inline constexpr uint16_t kPrefetchableLimitUpper = 0x2c;
inline constexpr uint16_t kCapabilities = 0x34;
inline constexpr uint16_t kBridgeControl = 0x3e;
inline constexpr uint32_t kCommandMemoryAndMaster = 0x0006;
inline constexpr uint32_t kBridgeControlSerr = 0x0002;

// Capabilities, and registers in them.
inline constexpr uint8_t kMsi = 0x05;
inline constexpr uint8_t kExpress = 0x10;
inline constexpr uint8_t kMsix = 0x11;
inline constexpr uint16_t kExpressFlags = 0x02;
inline constexpr uint16_t kDeviceCapabilities = 0x04;
inline constexpr uint16_t kDeviceControl = 0x08;
inline constexpr uint16_t kDeviceCapabilities2 = 0x24;
inline constexpr uint16_t kDeviceControl2 = 0x28;
inline constexpr uint32_t kErrorReporting = 0x000f;  // correctable, non-fatal, fatal, unsupported request
inline constexpr uint32_t kExtendedTag = 0x0100;     // of device control; 0x20 in the capabilities
inline constexpr uint32_t kAriForwarding = 0x0020;

// Extended capabilities, and registers in them.
inline constexpr uint16_t kAer = 0x0001;
inline constexpr uint16_t kAri = 0x000e;
inline constexpr uint16_t kSriov = 0x0010;
inline constexpr uint16_t kRootErrorCommand = 0x2c;
inline constexpr uint16_t kSriovControl = 0x08;
inline constexpr uint16_t kSriovTotalVfs = 0x0e;
inline constexpr uint16_t kSriovNumVfs = 0x10;
inline constexpr uint16_t kSriovFirstOffset = 0x14;
inline constexpr uint16_t kSriovStride = 0x16;
inline constexpr uint16_t kSriovVfDeviceId = 0x1a;
inline constexpr uint16_t kSriovBar0 = 0x24;
inline constexpr uint32_t kSriovEnable = 0x0001;
inline constexpr uint32_t kSriovMemorySpace = 0x0008;
inline constexpr uint32_t kSriovAri = 0x0010;

}  // namespace npuvp::host::pci
