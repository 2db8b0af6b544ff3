// SPDX-License-Identifier: Apache-2.0
#include "models/base/register_bank.h"

#include <algorithm>
#include <cstring>

namespace npuvp::base {
namespace {

/// `bytes` little-endian bytes of a register, starting at its byte `first`.
uint64_t load(std::span<const uint8_t> data, unsigned first) {
  uint64_t value = 0;
  std::memcpy(&value, data.data(), data.size());
  return value << (first * 8);
}

uint64_t mask_of(size_t bytes, unsigned first) {
  return (bytes == 8 ? ~0ULL : (1ULL << (bytes * 8)) - 1) << (first * 8);
}

void store(std::span<uint8_t> data, uint64_t value, unsigned first) {
  value >>= first * 8;
  std::memcpy(data.data(), &value, data.size());
}

}  // namespace

Register::Register(RegisterBank& bank, RegisterInfo info) : info_(std::move(info)), value_(info_.reset) {
  bank.add(*this);
}

uint64_t Register::bus_read(uint64_t mask) {
  const uint64_t value = read_value();
  value_ &= ~(info_.access.rc & mask);
  return value;
}

void Register::bus_write(uint64_t data, uint64_t mask, const Origin& origin) {
  const uint64_t before = value_;
  const auto& access = info_.access;
  const uint64_t taken = access.rw & mask;
  value_ = (value_ & ~taken) | (data & taken);
  value_ &= ~(data & mask & access.w1c);
  value_ |= data & mask & access.w1s;
  if (write_hook_) write_hook_({data, mask, before, info_.index, origin});
}

RegisterBank::RegisterBank(Environment& environment, std::string name, uint64_t size, Rules rules)
    : environment_(environment), log_(environment.logger(name)), name_(std::move(name)), size_(size), rules_(rules) {
  environment_.banks_.push_back(this);
}

RegisterBank::~RegisterBank() {
  std::erase(environment_.banks_, this);
}

void RegisterBank::add(Register& added) {
  const auto at =
      std::upper_bound(registers_.begin(), registers_.end(), added.info().offset,
                       [](uint64_t offset, const Register* other) { return offset < other->info().offset; });
  registers_.insert(at, &added);
}

void RegisterBank::reset() {
  for (auto* each : registers_) each->reset();
}

void RegisterBank::reset_unless_sticky() {
  for (auto* each : registers_) each->reset_unless_sticky();
}

Register* RegisterBank::find(uint64_t offset) const {
  auto next = std::upper_bound(registers_.begin(), registers_.end(), offset,
                               [](uint64_t at, const Register* other) { return at < other->info().offset; });
  if (next == registers_.begin()) return nullptr;
  auto* candidate = *std::prev(next);
  return offset < candidate->info().offset + candidate->info().bytes ? candidate : nullptr;
}

Register* RegisterBank::find_for_access(uint64_t offset, size_t bytes, const Origin& origin) {
  auto* target = find(offset);
  if (target == nullptr) {
    environment_.diagnostics().misuse(name_, fmt::format("no register at offset {:#x}", offset), origin);
    return nullptr;
  }
  const auto& info = target->info();
  const bool whole = offset == info.offset && bytes == info.bytes;
  const bool half = info.bytes == 8 && bytes == 4 && offset % 4 == 0;
  if (whole || half) return target;
  environment_.diagnostics().misuse(place(*target),
                                    fmt::format("access of {} bytes at offset {:#x}, the register takes {} at {:#x}",
                                                bytes, offset, info.bytes, info.offset),
                                    origin);
  return nullptr;
}

void RegisterBank::check_write(const Register& target, uint64_t data, uint64_t mask, const Origin& origin) {
  const auto& access = target.info().access;
  const uint64_t undefined = data & mask & ~access.defined();
  uint64_t read_only = (data ^ target.peek()) & mask & (access.ro | access.rc);
  // Software clears a flag by writing just that flag: zeros beside a w1c or w1s bit ask for nothing.
  if ((access.w1c | access.w1s) != 0) read_only &= data;
  if (undefined != 0) {
    environment_.diagnostics().misuse(place(target),
                                      fmt::format("write of {:#x} sets undefined bits {:#x}", data, undefined), origin);
  }
  if (read_only == 0) return;
  for (const auto& field : target.info().fields) {
    if ((field.mask & read_only) == 0) continue;
    environment_.diagnostics().misuse(
        place(target), fmt::format("write of {:#x} changes read-only field {}", data, field.name), origin);
    return;
  }
  environment_.diagnostics().misuse(place(target), fmt::format("write of {:#x} to a read-only register", data), origin);
}

bool RegisterBank::read(uint64_t offset, std::span<uint8_t> data, const Origin& origin) {
  std::fill(data.begin(), data.end(), uint8_t{0});
  if (rules_ == Rules::kStrict) {
    auto* target = find_for_access(offset, data.size(), origin);
    if (target == nullptr) return false;
    const auto first = static_cast<unsigned>(offset - target->info().offset);
    const uint64_t mask = mask_of(data.size(), first);
    const uint64_t value = target->bus_read(mask);
    note(*target, "read", value, mask, origin);
    store(data, value, first);
    return true;
  }
  for (size_t done = 0; done < data.size();) {
    auto* target = find(offset + done);
    if (target == nullptr) {
      ++done;
      continue;
    }
    const auto first = static_cast<unsigned>(offset + done - target->info().offset);
    const size_t bytes = std::min<size_t>(target->info().bytes - first, data.size() - done);
    const uint64_t mask = mask_of(bytes, first);
    const uint64_t value = target->bus_read(mask);
    note(*target, "read", value, mask, origin);
    store(data.subspan(done, bytes), value, first);
    done += bytes;
  }
  return true;
}

bool RegisterBank::write(uint64_t offset, std::span<const uint8_t> data, const Origin& origin) {
  if (rules_ == Rules::kStrict) {
    auto* target = find_for_access(offset, data.size(), origin);
    if (target == nullptr) return false;
    const auto first = static_cast<unsigned>(offset - target->info().offset);
    const uint64_t mask = mask_of(data.size(), first);
    const uint64_t value = load(data, first);
    note(*target, "write", value, mask, origin);
    check_write(*target, value, mask, origin);
    target->bus_write(value, mask, origin);
    return true;
  }
  for (size_t done = 0; done < data.size();) {
    auto* target = find(offset + done);
    if (target == nullptr) {
      ++done;
      continue;
    }
    const auto first = static_cast<unsigned>(offset + done - target->info().offset);
    const size_t bytes = std::min<size_t>(target->info().bytes - first, data.size() - done);
    const uint64_t mask = mask_of(bytes, first);
    const uint64_t value = load(data.subspan(done, bytes), first);
    note(*target, "write", value, mask, origin);
    target->bus_write(value, mask, origin);
    done += bytes;
  }
  return true;
}

void RegisterBank::note(const Register& target, const char* verb, uint64_t value, uint64_t mask, const Origin& origin) {
  if (!log_->should_log(spdlog::level::trace)) return;
  std::string fields;
  for (const auto& field : target.info().fields) {
    if ((field.mask & mask) != 0) fields += fmt::format(" {}={:#x}", field.name, (value & field.mask) >> field.shift);
  }
  log_->trace("{} {} {:#x}{}, by {}", verb, target.info().name, value & mask, fields, origin.to_string());
}

void RegisterBank::transport(tlm::tlm_generic_payload& payload) {
  const std::span<uint8_t> data(payload.get_data_ptr(), payload.get_data_length());
  const bool plain = payload.get_byte_enable_ptr() == nullptr && payload.get_streaming_width() >= data.size();
  if (!plain || data.empty()) {
    payload.set_response_status(plain ? tlm::TLM_BURST_ERROR_RESPONSE : tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    return;
  }
  const auto& origin = sideband_of(payload).origin;
  const bool ok = payload.is_write() ? write(payload.get_address(), data, origin)
                                     : !payload.is_read() || read(payload.get_address(), data, origin);
  payload.set_response_status(ok ? tlm::TLM_OK_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

unsigned RegisterBank::transport_debug(tlm::tlm_generic_payload& payload) {
  if (!payload.is_read()) return 0;
  unsigned done = 0;
  for (; done < payload.get_data_length(); ++done) {
    const uint64_t offset = payload.get_address() + done;
    const auto* target = find(offset);
    if (target == nullptr) break;
    payload.get_data_ptr()[done] = static_cast<uint8_t>(target->peek() >> ((offset - target->info().offset) * 8));
  }
  return done;
}

}  // namespace npuvp::base
