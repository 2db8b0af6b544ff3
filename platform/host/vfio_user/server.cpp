// SPDX-License-Identifier: Apache-2.0
#include "platform/host/vfio_user/server.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace npuvp::host::vfio_user {
namespace {

/// The fixed part of a payload. False if the payload is shorter.
template <typename Payload>
bool parse(std::span<const uint8_t> bytes, Payload& payload) {
  if (bytes.size() < sizeof payload) return false;
  std::memcpy(&payload, bytes.data(), sizeof payload);
  return true;
}

/// The same for a payload that is nothing but the fixed part.
template <typename Payload>
bool parse_exactly(std::span<const uint8_t> bytes, Payload& payload) {
  return bytes.size() == sizeof payload && parse(bytes, payload);
}

bool takes_fds(uint16_t command) {
  return command == static_cast<uint16_t>(Command::kDmaMap) ||
         command == static_cast<uint16_t>(Command::kDeviceSetIrqs);
}

bool is_single_bit(uint32_t value) {
  return value != 0 && (value & (value - 1)) == 0;
}

/// Commands from here on are not in the protocol.
constexpr uint16_t kUnknownCommand = static_cast<uint16_t>(Command::kMigrationDataWrite) + 1;

/// A PC's RAM begins here. Other memory, ROMs and frame buffers say, may well come without a file descriptor.
constexpr uint64_t kRamAddress = 0;

}  // namespace

Server::Server(UniqueFd socket, VfioUserDevice& device, DmaMap& dma, IrqEventfds& irqs,
               std::shared_ptr<spdlog::logger> log)
    : transport_(std::move(socket)), device_(device), dma_(dma), irqs_(irqs), log_(std::move(log)) {}

Server::~Server() {
  dma_.clear();
  irqs_.clear();
  for (uint32_t irq = 0; irq < kIrqs; ++irq) device_.irqs_changed(irq);
}

Server::Status Server::handle_next() {
  Message message;
  switch (transport_.receive(message)) {
    case Transport::Status::kNothing:
      return Status::kNothing;
    case Transport::Status::kClosed:
      return Status::kClosed;
    case Transport::Status::kMessage:
      break;
  }
  const auto request = message.header;
  // We ask nothing, so nothing needs to be answered; and answering a reply could go on forever.
  if ((request.flags & Header::kTypeMask) == Header::kTypeReply) return Status::kHandled;

  reply_.clear();
  const int error = dispatch(message);
  if (error != 0) {
    report_refusal(message, error);
    reply_.clear();
  }
  if ((request.flags & Header::kNoReply) != 0) return Status::kHandled;
  const Header reply{request.id, request.command, static_cast<uint32_t>(sizeof(Header) + reply_.size()),
                     Header::kTypeReply | (error != 0 ? Header::kError : 0), static_cast<uint32_t>(error)};
  return transport_.send(reply, reply_) ? Status::kHandled : Status::kClosed;
}

void Server::report_refusal(const Message& message, int error) {
  // Each kind once: a client that keeps being wrong must not fill the log.
  const uint16_t kind = std::min<uint16_t>(message.header.command, kUnknownCommand);
  const auto level = refusals_.emplace(kind, error).second ? spdlog::level::warn : spdlog::level::debug;
  log_->log(level, "vfio-user command {} of {} bytes with {} file descriptors refused: {}", message.header.command,
            message.header.size, message.fds.size(), std::generic_category().message(error));
}

int Server::dispatch(Message& message) {
  const auto& header = message.header;
  const auto command = static_cast<Command>(header.command);
  if ((header.flags & Header::kTypeMask) != Header::kTypeCommand) return EINVAL;
  if (header.size < sizeof(Header)) return EINVAL;
  if (message.is_oversized) return E2BIG;
  if (message.fds.size() > kMaxMessageFds) return EINVAL;
  if (!message.fds.empty() && !takes_fds(header.command)) return EINVAL;
  if (!is_negotiated_ && command != Command::kVersion) return EINVAL;
  switch (command) {
    case Command::kVersion:
      return version(message.payload);
    case Command::kDmaMap:
      return dma_map(message.payload, message.fds);
    case Command::kDmaUnmap:
      return dma_unmap(message.payload);
    case Command::kDeviceGetInfo:
      return get_info(message.payload);
    case Command::kDeviceGetRegionInfo:
      return get_region_info(message.payload);
    case Command::kDeviceGetRegionIoFds:
      return get_region_io_fds(message.payload);
    case Command::kDeviceGetIrqInfo:
      return get_irq_info(message.payload);
    case Command::kDeviceSetIrqs:
      return set_irqs(message.payload, message.fds);
    case Command::kRegionRead:
      return region_read(message.payload);
    case Command::kRegionWrite:
      return region_write(message.payload);
    case Command::kRegionWriteMulti:
      return region_write_multi(message.payload);
    case Command::kDeviceReset:
      if (!message.payload.empty()) return EINVAL;
      device_.reset();
      return 0;
    case Command::kDirtyPages:
    case Command::kDeviceFeature:
    case Command::kMigrationDataRead:
    case Command::kMigrationDataWrite:
      return ENOTSUP;
    case Command::kDmaRead:
    case Command::kDmaWrite:
      break;  // ours to send
  }
  return EINVAL;
}

template <typename Payload>
void Server::reply_with(const Payload& payload) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(&payload);
  reply_.insert(reply_.end(), bytes, bytes + sizeof payload);
}

int Server::version(std::span<const uint8_t> payload) {
  Version proposed;
  if (is_negotiated_ || !parse(payload, proposed)) return EINVAL;
  if (proposed.major != kVersionMajor) {
    log_->error("the vfio-user client speaks protocol version {}.{}, this server {}.{}", proposed.major, proposed.minor,
                kVersionMajor, kVersionMinor);
    return EINVAL;
  }
  const auto text = payload.subspan(sizeof proposed);
  if (!text.empty()) {
    if (text.back() != 0) return EINVAL;
    const std::string_view json(reinterpret_cast<const char*>(text.data()), text.size() - 1);
    if (!json.empty() && !nlohmann::json::accept(json)) return EINVAL;
  }
  reply_with(Version{kVersionMajor, kVersionMinor});
  const nlohmann::json capabilities = {{"capabilities",
                                        {{"max_msg_fds", kMaxMessageFds},
                                         {"max_data_xfer_size", kMaxDataBytes},
                                         {"max_dma_maps", kMaxDmaMaps},
                                         {"pgsizes", kPageBytes},
                                         {"write_multiple", true}}}};
  const std::string dump = capabilities.dump();
  reply_.insert(reply_.end(), dump.c_str(), dump.c_str() + dump.size() + 1);
  is_negotiated_ = true;
  return 0;
}

int Server::dma_map(std::span<const uint8_t> payload, std::vector<UniqueFd>& fds) {
  DmaMapRequest request;
  if (!parse_exactly(payload, request) || request.argsz < sizeof request || fds.size() > 1) return EINVAL;
  const DmaMap::Region region{request.address, request.size, (request.flags & DmaMapRequest::kReadable) != 0,
                              (request.flags & DmaMapRequest::kWritable) != 0};
  const int error = dma_.map(region, fds.empty() ? UniqueFd() : std::move(fds.front()), request.offset);
  log_->debug("guest memory {:#x} + {:#x}, file offset {:#x}, flags {:#x}, {} file descriptors: {}", request.address,
              request.size, request.offset, request.flags, fds.size(), std::generic_category().message(error));
  const bool is_news = fds.empty() ? error == 0 && request.address == kRamAddress : error != 0;
  // Once: the client may try again and again.
  if (!is_news || std::exchange(is_memory_explained_, true)) return error;
  if (fds.empty()) {
    log_->error(
        "guest memory {:#x} + {:#x} came without a file descriptor, so the card cannot reach it. Remedy: give QEMU "
        "'-object memory-backend-memfd,id=ram,size=SIZE,share=on' and '-machine ...,memory-backend=ram'",
        request.address, request.size);
  } else {
    log_->error(
        "guest memory {:#x} + {:#x} cannot be mapped: {}. Remedy: QEMU's memory must be a shared file "
        "(memory-backend-memfd or memory-backend-file with share=on)",
        request.address, request.size, std::generic_category().message(error));
  }
  return error;
}

int Server::dma_unmap(std::span<const uint8_t> payload) {
  DmaUnmapRequest request;
  if (!parse_exactly(payload, request) || request.argsz < sizeof request || request.flags != 0) return EINVAL;
  const int error = dma_.unmap(request.address, request.size);
  if (error == 0) reply_with(request);
  return error;
}

int Server::get_info(std::span<const uint8_t> payload) {
  DeviceInfo info;
  if (!parse_exactly(payload, info) || info.argsz < sizeof info) return EINVAL;
  reply_with(DeviceInfo{sizeof info, DeviceInfo::kReset | DeviceInfo::kPci, kRegions, kIrqs});
  return 0;
}

int Server::get_region_info(std::span<const uint8_t> payload) {
  RegionInfo info;
  if (!parse_exactly(payload, info) || info.argsz < sizeof info || info.index >= kRegions) return EINVAL;
  const uint64_t bytes = device_.region_bytes(info.index);
  const uint32_t flags = bytes > 0 ? RegionInfo::kRead | RegionInfo::kWrite : 0;
  reply_with(RegionInfo{sizeof info, flags, info.index, 0, bytes, 0});
  return 0;
}

int Server::get_region_io_fds(std::span<const uint8_t> payload) {
  RegionIoFds request;
  if (!parse_exactly(payload, request) || request.argsz < sizeof request || request.flags != 0 ||
      request.index >= kRegions || request.count != 0) {
    return EINVAL;
  }
  // None: every access has its place in simulated time.
  reply_with(RegionIoFds{sizeof request, 0, request.index, 0});
  return 0;
}

int Server::get_irq_info(std::span<const uint8_t> payload) {
  IrqInfo info;
  if (!parse_exactly(payload, info) || info.argsz < sizeof info || info.index >= kIrqs) return EINVAL;
  const uint32_t count = device_.irq_count(info.index);
  reply_with(IrqInfo{sizeof info, count > 0 ? IrqInfo::kEventfd | IrqInfo::kNoResize : 0, info.index, count});
  return 0;
}

int Server::set_irqs(std::span<const uint8_t> payload, std::vector<UniqueFd>& fds) {
  IrqSet set;
  if (!parse(payload, set) || set.argsz < sizeof set || set.index >= kIrqs) return EINVAL;
  const uint32_t data = set.flags & IrqSet::kDataMask;
  const uint32_t action = set.flags & IrqSet::kActionsMask;
  if (!is_single_bit(data) || !is_single_bit(action) || (data | action) != set.flags) return EINVAL;
  const uint32_t vectors = device_.irq_count(set.index);
  if (set.start > vectors || set.count > vectors - set.start) return EINVAL;
  const auto selected = payload.subspan(sizeof set);
  if (selected.size() != (data == IrqSet::kDataBool ? set.count : 0)) return EINVAL;
  if (data != IrqSet::kDataEventfd && !fds.empty()) return EINVAL;
  // Interrupts are edges of messages here: there is nothing to mask at this side.
  if (action != IrqSet::kActionTrigger) return ENOTSUP;

  if (data == IrqSet::kDataEventfd) {
    if (!fds.empty() && fds.size() != set.count) return EINVAL;
    if (!std::all_of(fds.begin(), fds.end(), IrqEventfds::is_eventfd)) return EINVAL;
    for (uint32_t each = 0; each < set.count; ++each) {
      irqs_.assign(set.index, set.start + each, fds.empty() ? UniqueFd() : std::move(fds[each]));
    }
    device_.irqs_changed(set.index);
    return 0;
  }
  if (data == IrqSet::kDataNone && set.count == 0) {
    if (set.start != 0) return EINVAL;
    irqs_.release_all(set.index);
    device_.irqs_changed(set.index);
    return 0;
  }
  return trigger_irqs(set, selected);
}

int Server::trigger_irqs(const IrqSet& set, std::span<const uint8_t> selected) {
  for (uint32_t each = 0; each < set.count; ++each) {
    if (selected.empty() || selected[each] != 0) irqs_.trigger(set.index, set.start + each);
  }
  return 0;
}

int Server::check_access(const RegionAccess& access) const {
  if (access.region >= kRegions || access.count == 0 || access.count > kMaxDataBytes) return EINVAL;
  const uint64_t bytes = device_.region_bytes(access.region);
  return access.offset <= bytes && access.count <= bytes - access.offset ? 0 : EINVAL;
}

int Server::region_read(std::span<const uint8_t> payload) {
  RegionAccess access;
  if (!parse_exactly(payload, access)) return EINVAL;
  if (const int error = check_access(access); error != 0) return error;
  reply_with(access);
  reply_.resize(sizeof access + access.count);
  device_.read(access.region, access.offset, std::span(reply_).subspan(sizeof access));
  return 0;
}

int Server::region_write(std::span<const uint8_t> payload) {
  RegionAccess access;
  if (!parse(payload, access)) return EINVAL;
  const auto data = payload.subspan(sizeof access);
  if (const int error = check_access(access); error != 0 || data.size() != access.count) return EINVAL;
  device_.write(access.region, access.offset, data);
  reply_with(access);
  return 0;
}

int Server::region_write_multi(std::span<const uint8_t> payload) {
  WriteMulti multi;
  if (!parse(payload, multi)) return EINVAL;
  const auto entries = payload.subspan(sizeof multi);
  if (entries.size() % sizeof(WriteMultiEntry) != 0 || multi.count != entries.size() / sizeof(WriteMultiEntry)) {
    return EINVAL;
  }
  const auto entry_at = [&](uint64_t index) {
    WriteMultiEntry entry;
    std::memcpy(&entry, entries.data() + index * sizeof entry, sizeof entry);
    return entry;
  };
  for (uint64_t index = 0; index < multi.count; ++index) {
    const auto entry = entry_at(index);
    if (entry.access.count > sizeof entry.data || check_access(entry.access) != 0) return EINVAL;
  }
  for (uint64_t index = 0; index < multi.count; ++index) {
    const auto entry = entry_at(index);
    device_.write(entry.access.region, entry.access.offset, std::span(entry.data).first(entry.access.count));
  }
  reply_with(multi);
  return 0;
}

}  // namespace npuvp::host::vfio_user
