// SPDX-License-Identifier: Apache-2.0
#include "models/flash/spi_nor.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <utility>

namespace npuvp::flash {
namespace {

using sc_core::sc_time;

// Data sheet 8.1.2, instruction set table 1.
enum Opcode : uint8_t {
  kWriteStatus = 0x01,
  kPageProgram = 0x02,
  kRead = 0x03,
  kWriteDisable = 0x04,
  kReadStatus = 0x05,
  kWriteEnable = 0x06,
  kFastRead = 0x0b,
  kSectorErase = 0x20,
  kHalfBlockErase = 0x52,
  kChipErase60 = 0x60,
  kReadId = 0x9f,
  kChipEraseC7 = 0xc7,
  kBlockErase = 0xd8,
};

// Status register 1, data sheet 7.1.
constexpr uint8_t kWip = 0x01;
constexpr uint8_t kWel = 0x02;
constexpr unsigned kProtectShift = 2;  // BP2:0
constexpr uint8_t kProtectMask = 7;
constexpr uint8_t kProtectFromBottom = 0x20;  // TB
constexpr uint8_t kWritable = 0xbc;           // SRP0, TB, BP2:0

constexpr uint8_t kManufacturer = 0xef;
constexpr uint8_t kMemoryType = 0x40;
constexpr uint32_t kHalfBlockBytes = 32 << 10;
constexpr uint32_t kBlockBytes = 64 << 10;
constexpr uint64_t kMostBytes = 16 << 20;  // three address bytes

}  // namespace

SpiNor::SpiNor(const Parameters& parameters)
    : parameters_(parameters), content_(parameters.bytes, parameters.file), chance_(parameters.seed) {
  if (!std::has_single_bit(parameters.bytes) || parameters.bytes < kBlockBytes || parameters.bytes > kMostBytes) {
    throw std::invalid_argument(fmt::format("flash of {} bytes: a power of two from {} to {} is needed",
                                            parameters.bytes, kBlockBytes, kMostBytes));
  }
}

const NorContent& SpiNor::content() {
  settle(sc_core::sc_time_stamp());
  return content_;
}

void SpiNor::load(uint32_t address, std::span<const uint8_t> image) {
  if (address > content_.size() || image.size() > content_.size() - address) {
    throw std::invalid_argument(fmt::format("flash image of {} bytes at {:#x} does not fit {} bytes of flash",
                                            image.size(), address, content_.size()));
  }
  for (uint64_t i = 0; i < image.size(); ++i) content_.set(address + i, image[i]);
}

std::string SpiNor::execute(const Command& command, const sc_time& now) {
  std::fill(command.received.begin(), command.received.end(), uint8_t{0xff});
  if (!powered_) return {};
  settle(now);
  const bool busy = running_ || now < ready_at_;
  switch (command.opcode) {
    case kReadStatus:
      std::fill(command.received.begin(), command.received.end(), static_cast<uint8_t>(status_ | (busy ? kWip : 0)));
      return {};
    case kReadId:
    case kRead:
    case kFastRead:
    case kWriteEnable:
    case kWriteDisable:
      break;
    default:
      return busy ? fmt::format("opcode {:#04x} while the flash is writing", command.opcode) : start(command, now);
  }
  if (busy) return fmt::format("opcode {:#04x} while the flash is writing", command.opcode);
  if (command.opcode == kReadId) identify(command.received);
  if (command.opcode == kWriteEnable) status_ |= kWel;
  if (command.opcode == kWriteDisable) status_ &= static_cast<uint8_t>(~kWel);
  if (command.opcode == kRead || command.opcode == kFastRead) {
    if (!command.address) return "read without an address";
    read(*command.address, command.received);
  }
  return {};
}

/// Everything that needs the write enable latch.
std::string SpiNor::start(const Command& command, const sc_time& now) {
  switch (command.opcode) {
    case kPageProgram:
      return program(command, now);
    case kSectorErase:
      return erase(command, kSectorBytes, parameters_.sector_erase, now);
    case kHalfBlockErase:
      return erase(command, kHalfBlockBytes, parameters_.half_block_erase, now);
    case kBlockErase:
      return erase(command, kBlockBytes, parameters_.block_erase, now);
    case kChipErase60:
    case kChipEraseC7:
      return erase({command.opcode, 0, {}, {}}, static_cast<uint32_t>(content_.size()), parameters_.chip_erase, now);
    case kWriteStatus:
      return write_status(command, now);
    default:
      return fmt::format("opcode {:#04x} is not one of this flash", command.opcode);
  }
}

std::string SpiNor::program(const Command& command, const sc_time& now) {
  if (!command.address) return "page program without an address";
  if (command.sent.empty()) return "page program without data";
  const auto address = static_cast<uint32_t>(*command.address % content_.size());
  // Within the page the address wraps: the last 256 bytes sent count (8.2.13).
  std::vector<uint8_t> page(kPageBytes, 0xff);
  for (size_t i = 0; i < command.sent.size(); ++i) page[(address + i) % kPageBytes] = command.sent[i];
  const uint32_t base = address / kPageBytes * kPageBytes;
  const uint32_t first = address % kPageBytes;
  const bool wraps = first + command.sent.size() > kPageBytes;
  const uint32_t begin_at = wraps ? 0 : first;
  const auto bytes = wraps ? kPageBytes : static_cast<uint32_t>(command.sent.size());
  return begin({base + begin_at, bytes, {page.begin() + begin_at, page.begin() + begin_at + bytes}, now},
               parameters_.page_program);
}

std::string SpiNor::erase(const Command& command, uint32_t bytes, const sc_time& duration, const sc_time& now) {
  if (!command.address) return "erase without an address";
  const auto address = static_cast<uint32_t>(*command.address % content_.size()) / bytes * bytes;
  return begin({address, bytes, {}, now}, duration);
}

std::string SpiNor::begin(Operation operation, const sc_time& duration) {
  if ((status_ & kWel) == 0) return "write without write enable";
  status_ &= static_cast<uint8_t>(~kWel);
  if (is_protected(operation.address, operation.bytes)) {
    return fmt::format("write to {:#x}, which the protection bits cover", operation.address);
  }
  ready_at_ = operation.begin + duration;
  const uint64_t bytes = operation.bytes;
  if (cut_after_ && bytes >= *cut_after_) {
    apply(operation, *cut_after_);
    cut_after_.reset();
    powered_ = false;
    if (on_cut_) on_cut_();
    return {};
  }
  if (cut_after_) *cut_after_ -= bytes;
  wear_bytes_ += bytes;
  running_ = std::move(operation);
  return {};
}

std::string SpiNor::write_status(const Command& command, const sc_time& now) {
  if (command.sent.empty()) return "write status without data";
  if ((status_ & kWel) == 0) return "write without write enable";
  status_ = command.sent[0] & kWritable;
  ready_at_ = now + parameters_.write_status;
  return {};
}

void SpiNor::read(uint32_t address, std::span<uint8_t> out) const {
  for (size_t i = 0; i < out.size(); ++i) out[i] = content_.at((address + i) % content_.size());
}

void SpiNor::identify(std::span<uint8_t> out) const {
  const std::array<uint8_t, 3> id{kManufacturer, kMemoryType, static_cast<uint8_t>(std::countr_zero(content_.size()))};
  std::copy_n(id.begin(), std::min(id.size(), out.size()), out.begin());
}

/// Data sheet 7.1.6: BP = n protects 64 KiB << (n - 1) at the top, or at the bottom with TB; 7 everything.
bool SpiNor::is_protected(uint32_t address, uint32_t bytes) const {
  const unsigned level = status_ >> kProtectShift & kProtectMask;
  if (level == 0) return false;
  const uint64_t covered = level == kProtectMask
                               ? content_.size()
                               : std::min<uint64_t>(uint64_t{kBlockBytes} << (level - 1), content_.size());
  if ((status_ & kProtectFromBottom) != 0) return address < covered;
  return uint64_t{address} + bytes > content_.size() - covered;
}

void SpiNor::settle(const sc_time& now) {
  if (!running_ || now < ready_at_) return;
  apply(*running_, running_->bytes);
  running_.reset();
}

void SpiNor::apply(const Operation& operation, uint64_t done) {
  if (operation.data.empty() && done >= operation.bytes) {
    content_.erase(operation.address, operation.bytes);
    return;
  }
  for (uint64_t i = 0; i < operation.bytes; ++i) {
    const uint64_t at = operation.address + i;
    content_.set(at, cell_after(operation, i, content_.at(at), done));
  }
}

/// Where power failed, any part of the change may have happened; an erase works on all cells of a sector at once, so
/// behind that point some bits have risen already.
uint8_t SpiNor::cell_after(const Operation& operation, uint64_t index, uint8_t before, uint64_t done) {
  const bool erases = operation.data.empty();
  const uint8_t after = erases ? uint8_t{0xff} : static_cast<uint8_t>(before & operation.data[index]);
  if (index < done) return after;
  if (index > done && !erases) return before;
  const auto some = static_cast<uint8_t>(chance_());
  return static_cast<uint8_t>(before ^ ((before ^ after) & some));
}

void SpiNor::cut_power(const sc_time& now) {
  settle(now);
  if (running_) {
    const double share = (now - running_->begin) / (ready_at_ - running_->begin);
    apply(*running_, static_cast<uint64_t>(std::clamp(share, 0.0, 1.0) * running_->bytes));
    running_.reset();
  }
  powered_ = false;
}

void SpiNor::cut_power_after(uint64_t bytes, std::function<void()> handler) {
  cut_after_ = bytes;
  on_cut_ = std::move(handler);
}

void SpiNor::power_on() {
  powered_ = true;
  status_ &= static_cast<uint8_t>(~kWel);
  ready_at_ = sc_core::SC_ZERO_TIME;
  cut_after_.reset();
}

}  // namespace npuvp::flash
