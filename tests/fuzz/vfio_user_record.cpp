// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/vfio_user_record.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>

namespace npuvp::fuzz {
namespace {

namespace vfio = host::vfio_user;
using vfio::Command;
using Payload = std::vector<uint8_t>;

constexpr std::array<std::string_view, 6> kVersionTexts{
    "{\"capabilities\":{\"max_msg_fds\":8}}", "", "{", "{}", "[[[[[[[[[[[[[[[[", "{\"capabilities\":{\"pgsizes\":-1}}"};

/// Beginnings of what is worth reading and writing; `a` of the record is added.
struct Place {
  uint32_t region;
  uint64_t offset;
};
constexpr std::array<Place, 16> kPlaces{{
    {vfio::kRegionConfig, 0},
    {vfio::kRegionBar0, 0},                  // configuration space of the root port
    {vfio::kRegionBar0, 1 << 20},            // of the card
    {vfio::kRegionBar0, 2 << 20},            // of the switch
    {vfio::kRegionBar2, 0},                  // the card's registers
    {vfio::kRegionBar2, 0x8000},             // its MSI-X table
    {vfio::kRegionBar4, 0},                  // the VMD's own part
    {vfio::kRegionBar4, kCardBar2Offset},    // the card's memory
    {vfio::kRegionBar0, (32 << 20) - 0x80},  // ends of the regions
    {vfio::kRegionBar2, (64 << 20) - 0x80},
    {vfio::kRegionBar4, (1 << 30) - 0x80},
    {vfio::kRegionConfig, 4096 - 0x80},
    {vfio::kRegionBar0, 3 << 20},        // of its ports
    {vfio::kRegionBar0, 4 << 20},        // of the card below, with virtual functions
    {vfio::kRegionBar2, kBranchOffset},  // its registers
    {0xffff'ffff, ~uint64_t{0} - 0x80},
}};
constexpr uint8_t kOwnPlace = 6;
constexpr uint32_t kMostBytes = 1 << 20;
constexpr uint32_t kMostFabricBytes = 16384;
constexpr uint32_t kMostConfigBytes = 256;
constexpr std::array<uint32_t, 16> kSizes{4,  4, 4, 8, 1, 2, 3, 16, 64, 256, 4096, 5000, 0, kMostBytes, kMostBytes + 1,
                                          ~0U};

constexpr uint64_t kPage = 4096;
constexpr std::array<uint16_t, 16> kFdCounts{1, 0, 1, 1, 1, 2, 3, 4, 8, 15, 16, 17, 32, 64, 128, 253};

template <typename Structure>
void append(Payload& payload, const Structure& structure) {
  payload.resize(payload.size() + sizeof structure);
  std::memcpy(payload.data() + payload.size() - sizeof structure, &structure, sizeof structure);
}

template <typename Structure>
Payload bytes_of(const Structure& structure) {
  Payload payload;
  append(payload, structure);
  return payload;
}

Payload version(const Record& record) {
  auto payload = bytes_of(vfio::Version{static_cast<uint16_t>(record.a), static_cast<uint16_t>(record.a >> 16)});
  std::string text(record.select < kVersionTexts.size()
                       ? kVersionTexts[record.select]
                       : std::string_view(reinterpret_cast<const char*>(&record.b), sizeof record.b));
  if (!text.empty()) text.push_back('\0');
  payload.insert(payload.end(), text.begin(), text.end());
  return payload;
}

struct Range {
  uint64_t address;
  uint64_t bytes;
};
/// Bits 4, 5 of `select`: pages from 0, from 4 GiB, pages up to the end of the address space, anything.
Range dma_range(const Record& record) {
  const uint64_t page_address = uint64_t{record.a} * kPage;
  const uint64_t page_bytes = (record.b & 0xffff) * kPage;
  switch (record.select >> 4 & 3) {
    case 0:
      return {page_address, page_bytes};
    case 1:
      return {page_address + (uint64_t{4} << 30), page_bytes};
    case 2:
      return {uint64_t{0} - (record.a % 256 + 1) * kPage, page_bytes};
    default:
      return {uint64_t{record.a}, record.b};
  }
}

/// Low bits of `select`: 0 is readable and writable, so that most maps are; 3: flags that do not exist.
Payload dma_map(const Record& record) {
  constexpr std::array<uint32_t, 4> kFlags{3, 1, 2, 0xffff'fff0};
  const auto range = dma_range(record);
  return bytes_of(vfio::DmaMapRequest{sizeof(vfio::DmaMapRequest), kFlags[record.select & 3U],
                                      (record.b >> 16 & 0xffff) * kPage + (record.b >> 32 & 1), range.address,
                                      range.bytes});
}

Payload dma_unmap(const Record& record) {
  const auto range = dma_range(record);
  return bytes_of(vfio::DmaUnmapRequest{sizeof(vfio::DmaUnmapRequest), record.select & 3U, range.address, range.bytes});
}

Payload set_irqs(const Record& record) {
  vfio::IrqSet set{};
  set.argsz = sizeof set;
  set.flags = static_cast<uint32_t>(record.b & 0xff);
  set.index = record.select & 7U;
  set.start = record.a & 0xff;
  set.count = record.a >> 8 & 0xff;
  if ((record.a >> 31) != 0) set.count = record.a;
  const size_t data = (set.flags & vfio::IrqSet::kDataBool) != 0 ? set.count & 0xff : 0;
  Payload payload(sizeof set + data, static_cast<uint8_t>(record.b >> 8));
  std::memcpy(payload.data(), &set, sizeof set);
  return payload;
}

vfio::RegionAccess access(const Record& record) {
  const auto& place = kPlaces[record.select & 15U];
  uint32_t size = kSizes[record.select >> 4U];
  // The largest accesses that are allowed end in the VMD, smaller ones cross the fabric: sessions must be many.
  if (size <= kMostBytes && place.region == vfio::kRegionBar0) size = std::min(size, kMostConfigBytes);
  if (size == kMostBytes && (record.select & 15U) != kOwnPlace) size = kMostFabricBytes;
  return {place.offset + record.a, place.region, size};
}

/// `b` again and again, then zeros: a large write need not be all interesting.
Payload region_write(const Record& record) {
  const auto write = access(record);
  const size_t data = std::min<size_t>(write.count, vfio::kMaxDataBytes + 64);
  Payload payload(sizeof write + data);
  std::memcpy(payload.data(), &write, sizeof write);
  for (size_t at = 0; at < std::min<size_t>(data, 64); ++at) {
    payload[sizeof write + at] = static_cast<uint8_t>(record.b >> (at % 8 * 8));
  }
  return payload;
}

Payload region_write_multi(const Record& record) {
  constexpr std::array<uint32_t, 4> kEntrySizes{4, 8, 1, 9};
  const uint32_t count = record.select >> 4U;
  auto payload = bytes_of(vfio::WriteMulti{count});
  for (uint32_t index = 0; index < count; ++index) {
    vfio::WriteMultiEntry entry{};
    entry.access = access(record);
    entry.access.offset += uint64_t{index} * 4;
    // The last entry is the odd one: what comes before must not have been carried out.
    entry.access.count = index + 1 < count ? 4 : kEntrySizes[record.a >> 30];
    entry.access.offset &= 0xffff'ffff'3fff'ffff;
    std::memcpy(entry.data, &record.b, sizeof entry.data);
    append(payload, entry);
  }
  return payload;
}

Payload payload_of(const Record& record) {
  const uint32_t index = record.select;
  switch (static_cast<Action>(record.action % static_cast<uint8_t>(Action::kCount))) {
    case Action::kVersion:
      return version(record);
    case Action::kDmaMap:
      return dma_map(record);
    case Action::kDmaUnmap:
      return dma_unmap(record);
    case Action::kGetInfo:
      return bytes_of(vfio::DeviceInfo{sizeof(vfio::DeviceInfo), 0, 0, 0});
    case Action::kGetRegionInfo:
      return bytes_of(vfio::RegionInfo{sizeof(vfio::RegionInfo), 0, index, 0, 0, 0});
    case Action::kGetRegionIoFds:
      return bytes_of(vfio::RegionIoFds{sizeof(vfio::RegionIoFds), 0, index, 0});
    case Action::kGetIrqInfo:
      return bytes_of(vfio::IrqInfo{sizeof(vfio::IrqInfo), 0, index, 0});
    case Action::kSetIrqs:
      return set_irqs(record);
    case Action::kRegionRead:
      return bytes_of(access(record));
    case Action::kRegionWrite:
      return region_write(record);
    case Action::kRegionWriteMulti:
      return region_write_multi(record);
    default:
      return {};
  }
}

std::vector<FdKind> fds_of(const Record& record, const Payload& payload) {
  if (record.fds != 0) {
    const auto kind = static_cast<FdKind>((record.fds & 15U) % static_cast<uint8_t>(FdKind::kCount));
    return std::vector<FdKind>(kFdCounts[record.fds >> 4U], kind);
  }
  const auto action = static_cast<Action>(record.action % static_cast<uint8_t>(Action::kCount));
  if (action == Action::kDmaMap) return {FdKind::kMemory};
  if (action != Action::kSetIrqs) return {};
  vfio::IrqSet set{};
  std::memcpy(&set, payload.data(), sizeof set);
  const bool wants = (set.flags & vfio::IrqSet::kDataMask) == vfio::IrqSet::kDataEventfd;
  return std::vector<FdKind>(wants ? std::min(set.count, 32U) : 0, FdKind::kEventfd);
}

void twist(const Record& record, ClientMessage& message) {
  auto& payload = message.payload;
  switch (static_cast<Twist>(record.twist & 15U)) {
    case Twist::kShorter:
      payload.resize(payload.size() - std::min<size_t>(payload.size(), record.a % 64 + 1));
      break;
    case Twist::kLonger:
      payload.resize(payload.size() + record.a % 64 + 1);
      break;
    case Twist::kType:
      message.header.flags |= record.a & vfio::Header::kTypeMask;
      break;
    case Twist::kCommand:
      message.header.command = static_cast<uint16_t>(record.a);
      break;
    case Twist::kFlipByte:
      if (!payload.empty()) payload[record.a % payload.size()] ^= static_cast<uint8_t>(record.a >> 8 | 1);
      break;
    default:
      break;
  }
  message.header.size = static_cast<uint32_t>(sizeof message.header + payload.size());
  if (static_cast<Twist>(record.twist & 15U) == Twist::kSize) message.header.size = record.a;
  if ((record.twist & Record::kNoReply) != 0) message.header.flags |= vfio::Header::kNoReply;
}

uint16_t command_of(const Record& record) {
  // In the order of Action.
  constexpr std::array kCommands{Command::kVersion,
                                 Command::kDmaMap,
                                 Command::kDmaUnmap,
                                 Command::kDeviceGetInfo,
                                 Command::kDeviceGetRegionInfo,
                                 Command::kDeviceGetRegionIoFds,
                                 Command::kDeviceGetIrqInfo,
                                 Command::kDeviceSetIrqs,
                                 Command::kRegionRead,
                                 Command::kRegionWrite,
                                 Command::kRegionWriteMulti,
                                 Command::kDeviceReset};
  const size_t action = record.action % static_cast<uint8_t>(Action::kCount);
  return action < kCommands.size() ? static_cast<uint16_t>(kCommands[action]) : static_cast<uint16_t>(record.a);
}

/// What makes the card of test_card.h copy: source, destination, bytes, start.
std::vector<Record> card_dma(const Record& record) {
  constexpr uint8_t kCardRegisters8 = 0x34;  // place 4, size 8
  const auto write = [&](uint32_t offset, uint64_t value) {
    return Record{static_cast<uint8_t>(Action::kRegionWrite), record.twist, record.fds, kCardRegisters8, offset, value};
  };
  return {write(0x108, (record.a & 0xffff) * kPage + (record.select & 7U)),
          write(0x110, (record.a >> 16) * kPage + (record.select >> 3U)), write(0x118, record.b & 0xffff),
          write(0x100, (record.b >> 16 & 0xff) + 1)};
}

ClientMessage message_of(const Record& record, uint16_t id) {
  ClientMessage message;
  message.header.id = id;
  message.header.command = command_of(record);
  message.payload = payload_of(record);
  message.fds = fds_of(record, message.payload);
  twist(record, message);
  return message;
}

}  // namespace

uint64_t memory_pages(FdKind kind) {
  switch (kind) {
    case FdKind::kMemory:
    case FdKind::kReadOnlyMemory:
      return 64;
    case FdKind::kSmallMemory:
      return 1;
    case FdKind::kHugeMemory:
      return uint64_t{1} << 28;
    default:
      return 0;
  }
}

std::vector<ClientMessage> messages_of(const Record& record, uint16_t id) {
  switch (static_cast<Action>(record.action % static_cast<uint8_t>(Action::kCount))) {
    case Action::kRun:
    case Action::kHangUp:
    case Action::kRaw:
      return {};
    case Action::kCardDma: {
      std::vector<ClientMessage> messages;
      for (const auto& write : card_dma(record)) messages.push_back(message_of(write, id++));
      return messages;
    }
    default:
      return {message_of(record, id)};
  }
}

}  // namespace npuvp::fuzz
