// SPDX-License-Identifier: Apache-2.0
#include "models/riscv/trigger_module.h"

#include "models/riscv/csr.h"

namespace npuvp::riscv {
namespace {

constexpr uint64_t kTypeMask = 15ull << 60;
constexpr uint64_t kTcontrolMte = 1ull << 3;
constexpr uint64_t kTcontrolMpte = 1ull << 7;
/// tinfo: types mcontrol6 and disabled, version 1 (specification 1.0).
constexpr uint64_t kTinfo = 1ull << 24 | 1ull << 15 | 1ull << 6;

constexpr uint64_t access_bit(AccessType type) {
  switch (type) {
    case AccessType::kLoad:
      return TriggerModule::kLoad;
    case AccessType::kStore:
      return TriggerModule::kStore;
    case AccessType::kFetch:
      return TriggerModule::kExecute;
  }
  return 0;
}

/// Encoding of the size field; 0 stands for any.
constexpr uint64_t size_field(uint64_t size_bytes) {
  const uint64_t code = size_bytes == 1 ? 1 : size_bytes == 2 ? 2 : size_bytes == 4 ? 3 : 5;
  return code << 16;
}

/// A written tdata1 with every field made legal.
uint64_t legal_control(uint64_t value, bool debugger) {
  using T = TriggerModule;
  if ((value & kTypeMask) != T::kMcontrol6) return T::kDisabled | (debugger ? value & T::kDebuggerOnly : 0);
  constexpr uint64_t kPlain = T::kLoad | T::kStore | T::kExecute | T::kUser | T::kMachine | T::kHit;
  uint64_t control = T::kMcontrol6 | (value & kPlain);
  if ((value & T::kMatch) <= T::kBelow) control |= value & T::kMatch;
  const uint64_t size = value & T::kSizeMask;
  if (size >> 16 <= 3 || size >> 16 == 5) control |= size;
  if (debugger) control |= value & T::kDebuggerOnly;
  if ((control & T::kDebuggerOnly) != 0 && (value & T::kActionMask) == T::kToDebugger) control |= T::kToDebugger;
  return control;
}

}  // namespace

void TriggerModule::reset() {
  triggers_.fill(Trigger{});
  selected_ = 0;
  machine_enable_ = machine_previous_enable_ = false;
}

std::optional<uint64_t> TriggerModule::read(unsigned number) const {
  switch (number) {
    case csr::kTselect:
      return selected_;
    case csr::kTdata1:
      return triggers_[selected_].control;
    case csr::kTdata2:
      return triggers_[selected_].address;
    case csr::kTdata3:
      return 0;
    case csr::kTinfo:
      return kTinfo;
    case csr::kTcontrol:
      return (machine_enable_ ? kTcontrolMte : 0) | (machine_previous_enable_ ? kTcontrolMpte : 0);
    default:
      return std::nullopt;
  }
}

bool TriggerModule::write(unsigned number, uint64_t value, bool debugger) {
  Trigger& trigger = triggers_[selected_];
  const bool writable = debugger || (trigger.control & kDebuggerOnly) == 0;
  switch (number) {
    case csr::kTselect:
      if (value < kTriggers) selected_ = static_cast<unsigned>(value);
      return true;
    case csr::kTdata1:
      if (writable) trigger.control = legal_control(value, debugger);
      return true;
    case csr::kTdata2:
      if (writable) trigger.address = value;
      return true;
    case csr::kTdata3:
    case csr::kTinfo:
      return true;
    case csr::kTcontrol:
      machine_enable_ = (value & kTcontrolMte) != 0;
      machine_previous_enable_ = (value & kTcontrolMpte) != 0;
      return true;
    default:
      return false;
  }
}

TriggerModule::Range TriggerModule::range_of(const Trigger& trigger) {
  switch (trigger.control & kMatch) {
    case kNapot: {
      const uint64_t ones = trigger.address ^ (trigger.address + 1);  // the trailing ones and the zero above them
      return {trigger.address & ~ones, trigger.address | ones};
    }
    case kAtOrAbove:
      return {trigger.address, ~0ull};
    case kBelow:
      return {0, trigger.address - 1};
    default:
      return {trigger.address, trigger.address};
  }
}

bool TriggerModule::matches(const Trigger& trigger, uint64_t address, uint64_t size_bytes, AccessType type) {
  if ((trigger.control & kTypeMask) != kMcontrol6 || (trigger.control & access_bit(type)) == 0) return false;
  if ((trigger.control & kMatch) == kBelow && trigger.address == 0) return false;
  const Range range = range_of(trigger);
  return address <= range.last && address + (size_bytes - 1) >= range.first;
}

std::optional<TriggerModule::Action> TriggerModule::match(uint64_t address, unsigned size_bytes, AccessType type,
                                                          Privilege privilege) {
  std::optional<Action> action;
  const uint64_t mode = privilege == Privilege::kMachine ? kMachine : kUser;
  // A fetch is compared by its first byte alone, so that a breakpoint is the address of an instruction.
  const unsigned compared_bytes = type == AccessType::kFetch ? 1 : size_bytes;
  for (Trigger& trigger : triggers_) {
    if ((trigger.control & mode) == 0 || !matches(trigger, address, compared_bytes, type)) continue;
    const uint64_t size = trigger.control & kSizeMask;
    if (type != AccessType::kFetch && size != 0 && size != size_field(size_bytes)) continue;
    const bool to_debugger = (trigger.control & kActionMask) == kToDebugger;
    if (!to_debugger && privilege == Privilege::kMachine && !machine_enable_) continue;
    trigger.control |= kHit;
    if (action != Action::kDebugger) action = to_debugger ? Action::kDebugger : Action::kException;
  }
  return action;
}

bool TriggerModule::covers(uint64_t address, uint64_t size_bytes, AccessType type) const {
  for (const Trigger& trigger : triggers_) {
    if (matches(trigger, address, size_bytes, type)) return true;
  }
  return false;
}

bool TriggerModule::any(AccessType type) const {
  return covers(0, ~0ull, type) || covers(~0ull, 1, type);
}

void TriggerModule::enter_trap() {
  machine_previous_enable_ = machine_enable_;
  machine_enable_ = false;
}

void TriggerModule::leave_trap() {
  machine_enable_ = machine_previous_enable_;
}

}  // namespace npuvp::riscv
