// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// Messages of the vfio-user protocol, version 0.0, as a server for one PCI device sees them. Source: QEMU's
/// docs/interop/vfio-user.rst; flag and index values: the kernel's vfio interface. All fields in host byte order.
namespace npuvp::host::vfio_user {

inline constexpr uint16_t kVersionMajor = 0;
inline constexpr uint16_t kVersionMinor = 0;

/// What we promise in the version reply, and hold the client to.
inline constexpr uint32_t kMaxDataBytes = 1 << 20;
inline constexpr uint32_t kMaxMessageFds = 16;
inline constexpr uint32_t kMaxDmaMaps = 4096;
inline constexpr uint64_t kPageBytes = 4096;

enum class Command : uint16_t {
  kVersion = 1,
  kDmaMap = 2,
  kDmaUnmap = 3,
  kDeviceGetInfo = 4,
  kDeviceGetRegionInfo = 5,
  kDeviceGetRegionIoFds = 6,
  kDeviceGetIrqInfo = 7,
  kDeviceSetIrqs = 8,
  kRegionRead = 9,
  kRegionWrite = 10,
  kDmaRead = 11,   // server to client
  kDmaWrite = 12,  // server to client
  kDeviceReset = 13,
  kDirtyPages = 14,  // of older clients
  kRegionWriteMulti = 15,
  kDeviceFeature = 16,
  kMigrationDataRead = 17,
  kMigrationDataWrite = 18,
};

struct Header {
  static constexpr uint32_t kTypeMask = 0xf;
  static constexpr uint32_t kTypeCommand = 0;
  static constexpr uint32_t kTypeReply = 1;
  static constexpr uint32_t kNoReply = 1 << 4;
  static constexpr uint32_t kError = 1 << 5;

  uint16_t id;
  uint16_t command;
  uint32_t size;  ///< Of the whole message.
  uint32_t flags;
  uint32_t error;  ///< errno, in a reply with kError.
};
static_assert(sizeof(Header) == 16);

struct Version {
  uint16_t major;
  uint16_t minor;
  // followed by optional JSON text that ends with NUL
};
static_assert(sizeof(Version) == 4);

struct DmaMapRequest {
  static constexpr uint32_t kReadable = 1 << 0;
  static constexpr uint32_t kWritable = 1 << 1;

  uint32_t argsz;
  uint32_t flags;
  uint64_t offset;  ///< In the file.
  uint64_t address;
  uint64_t size;
};
static_assert(sizeof(DmaMapRequest) == 32);

struct DmaUnmapRequest {
  uint32_t argsz;
  uint32_t flags;
  uint64_t address;
  uint64_t size;
};
static_assert(sizeof(DmaUnmapRequest) == 24);

struct DeviceInfo {
  static constexpr uint32_t kReset = 1 << 0;
  static constexpr uint32_t kPci = 1 << 1;

  uint32_t argsz;
  uint32_t flags;
  uint32_t regions;
  uint32_t irqs;
};
static_assert(sizeof(DeviceInfo) == 16);

/// Indices of a PCI device's regions.
inline constexpr uint32_t kRegionBar0 = 0;
inline constexpr uint32_t kRegionBar2 = 2;
inline constexpr uint32_t kRegionBar4 = 4;
inline constexpr uint32_t kRegionConfig = 7;
inline constexpr uint32_t kRegions = 9;

struct RegionInfo {
  static constexpr uint32_t kRead = 1 << 0;
  static constexpr uint32_t kWrite = 1 << 1;

  uint32_t argsz;
  uint32_t flags;
  uint32_t index;
  uint32_t cap_offset;
  uint64_t size;
  uint64_t offset;
};
static_assert(sizeof(RegionInfo) == 32);

struct RegionIoFds {
  uint32_t argsz;
  uint32_t flags;
  uint32_t index;
  uint32_t count;
};
static_assert(sizeof(RegionIoFds) == 16);

/// Indices of a PCI device's interrupts.
inline constexpr uint32_t kIrqMsix = 2;
inline constexpr uint32_t kIrqError = 3;
inline constexpr uint32_t kIrqRequest = 4;
inline constexpr uint32_t kIrqs = 5;

struct IrqInfo {
  static constexpr uint32_t kEventfd = 1 << 0;
  static constexpr uint32_t kNoResize = 1 << 3;

  uint32_t argsz;
  uint32_t flags;
  uint32_t index;
  uint32_t count;
};
static_assert(sizeof(IrqInfo) == 16);

struct IrqSet {
  static constexpr uint32_t kDataNone = 1 << 0;
  static constexpr uint32_t kDataBool = 1 << 1;
  static constexpr uint32_t kDataEventfd = 1 << 2;
  static constexpr uint32_t kDataMask = 0x7;
  static constexpr uint32_t kActionMask = 1 << 3;
  static constexpr uint32_t kActionUnmask = 1 << 4;
  static constexpr uint32_t kActionTrigger = 1 << 5;
  static constexpr uint32_t kActionsMask = 0x38;

  uint32_t argsz;
  uint32_t flags;
  uint32_t index;
  uint32_t start;
  uint32_t count;
  // kDataBool: followed by `count` bytes
};
static_assert(sizeof(IrqSet) == 20);

struct RegionAccess {
  uint64_t offset;
  uint32_t region;
  uint32_t count;
  // data
};
static_assert(sizeof(RegionAccess) == 16);

struct WriteMulti {
  uint64_t count;
  // entries
};
static_assert(sizeof(WriteMulti) == 8);

struct WriteMultiEntry {
  RegionAccess access;
  uint8_t data[8];
};
static_assert(sizeof(WriteMultiEntry) == 24);

/// Longest message that a well-behaved client sends: a region write.
inline constexpr uint32_t kMaxMessageBytes = sizeof(Header) + sizeof(RegionAccess) + kMaxDataBytes;

}  // namespace npuvp::host::vfio_user
