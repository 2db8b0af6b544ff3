// SPDX-License-Identifier: Apache-2.0
#include "models/riscv/pmp.h"

#include <bit>
#include <stdexcept>

namespace npuvp::riscv {
namespace {

constexpr uint64_t kAddressMask = (1ull << 54) - 1;
constexpr uint8_t kConfigMask = 0x9f;

}  // namespace

Pmp::Pmp(unsigned granularity_bytes) : granule_mask_(granularity_bytes / 4 - 1) {
  if (!std::has_single_bit(granularity_bytes) || granularity_bytes < 4 || granularity_bytes > 4096) {
    throw std::invalid_argument("the PMP's granularity must be a power of two from 4 to 4096 bytes");
  }
}

void Pmp::reset() {
  config_.fill(0);
  address_.fill(0);
  update_ranges();
}

uint64_t Pmp::read_config(unsigned first_entry) const {
  uint64_t value = 0;
  for (unsigned i = 0; i < 8; ++i) value |= static_cast<uint64_t>(config_[first_entry + i]) << (8 * i);
  return value;
}

void Pmp::write_config(unsigned first_entry, uint64_t value) {
  for (unsigned i = 0; i < 8; ++i) {
    if (locked(first_entry + i)) continue;
    auto config = static_cast<uint8_t>((value >> (8 * i)) & kConfigMask);
    if ((config & kRead) == 0) config = static_cast<uint8_t>(config & ~kWrite);
    // A mode that cannot be chosen leaves the old one.
    if (granule_mask_ != 0 && ((config >> kModeShift) & 3) == kNa4) {
      config = static_cast<uint8_t>((config & ~(3u << kModeShift)) | (config_[first_entry + i] & (3u << kModeShift)));
    }
    config_[first_entry + i] = config;
  }
  update_ranges();
}

uint64_t Pmp::read_address(unsigned entry) const {
  if (granule_mask_ == 0) return address_[entry];
  return mode(entry) == kNapot ? address_[entry] | granule_mask_ >> 1 : address_[entry] & ~granule_mask_;
}

void Pmp::write_address(unsigned entry, uint64_t value) {
  const bool base_of_locked_tor = entry + 1 < kEntries && locked(entry + 1) && mode(entry + 1) == kTor;
  if (locked(entry) || base_of_locked_tor) return;
  address_[entry] = value & kAddressMask;
  update_ranges();
}

void Pmp::update_ranges() {
  for (unsigned i = 0; i < kEntries; ++i) {
    Range& range = range_[i];
    range = Range{};
    switch (mode(i)) {
      case kOff:
        break;
      case kTor: {
        const uint64_t bottom = i == 0 ? 0 : (address_[i - 1] & ~granule_mask_) << 2;
        const uint64_t top = (address_[i] & ~granule_mask_) << 2;
        if (bottom < top) range = {bottom, top - 1};
        break;
      }
      case kNa4:
        range = {address_[i] << 2, (address_[i] << 2) + 3};
        break;
      case kNapot: {
        const uint64_t address = read_address(i);
        const uint64_t ones = address ^ (address + 1);  // the trailing ones and the zero above them
        range.first = (address & ~ones) << 2;
        range.last = range.first + (ones << 2) + 3;
        break;
      }
    }
  }
}

bool Pmp::permits(unsigned entry, AccessType type, Privilege privilege) const {
  if (privilege == Privilege::kMachine && !locked(entry)) return true;
  switch (type) {
    case AccessType::kLoad:
      return (config_[entry] & kRead) != 0;
    case AccessType::kStore:
      return (config_[entry] & kWrite) != 0;
    case AccessType::kFetch:
      return (config_[entry] & kExecute) != 0;
  }
  return false;
}

bool Pmp::allows(uint64_t address, uint64_t size_bytes, AccessType type, Privilege privilege) const {
  const uint64_t last = address + (size_bytes - 1);
  if (last < address) return false;
  for (unsigned i = 0; i < kEntries; ++i) {
    const Range& range = range_[i];
    if (range.first > range.last || last < range.first || address > range.last) continue;
    // The lowest-numbered entry that matches any byte decides, and must match all of them.
    return address >= range.first && last <= range.last && permits(i, type, privilege);
  }
  return privilege == Privilege::kMachine;
}

std::optional<bool> Pmp::uniform(uint64_t address, uint64_t size_bytes, AccessType type, Privilege privilege) const {
  const uint64_t last = address + (size_bytes - 1);
  for (unsigned i = 0; i < kEntries; ++i) {
    const Range& range = range_[i];
    if (range.first > range.last || last < range.first || address > range.last) continue;
    if (address < range.first || last > range.last) return std::nullopt;
    return permits(i, type, privilege);
  }
  return privilege == Privilege::kMachine;
}

}  // namespace npuvp::riscv
