// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "models/base/sideband.h"

namespace npuvp::base {

class RegisterBank;

/// What a bus write does to a bit; from registers.yaml.
struct AccessMasks {
  uint64_t rw = 0;   ///< Takes the written value.
  uint64_t ro = 0;   ///< Writing a different value is misuse.
  uint64_t wo = 0;   ///< Goes to the write hook only, reads as 0.
  uint64_t w1c = 0;  ///< Writing 1 clears.
  uint64_t w1s = 0;  ///< Writing 1 sets.
  uint64_t rc = 0;   ///< Reading clears.

  [[nodiscard]] uint64_t defined() const { return rw | wo | w1c | w1s | rc | ro; }
};

/// Static description of a field, for decoded traces and diagnostics.
struct FieldInfo {
  const char* name;
  unsigned shift;
  uint64_t mask;  ///< In place.
};

/// Static description of a register (one element of an array); generated from registers.yaml.
struct RegisterInfo {
  std::string name;
  uint64_t offset;
  unsigned bytes;  ///< 1, 2, 4 or 8.
  uint64_t reset;
  AccessMasks access;
  std::span<const FieldInfo> fields;
  unsigned index = 0;             ///< In its array.
  bool read_side_effect = false;  ///< The read hook changes state: debuggers get the stored value instead.
  uint64_t sticky = 0;            ///< Bits that only a full reset of the bank changes.
};

/// One write from the bus, as the write hook sees it.
struct RegisterWrite {
  uint64_t written;  ///< Data, only bits of `mask` are meaningful.
  uint64_t mask;     ///< Bits that the access covers.
  uint64_t before;   ///< Register before the write.
  unsigned index;    ///< Of the register in its array.
  Origin origin;

  /// True if the access writes a 1 to any bit of `bits`.
  [[nodiscard]] bool sets(uint64_t bits) const { return (written & mask & bits) != 0; }
};

/// A hardware register. The bus sees the rules of its fields; the model reads and writes it freely.
class Register {
 public:
  using ReadHook = std::function<uint64_t(uint64_t stored)>;
  using WriteHook = std::function<void(const RegisterWrite&)>;

  Register(RegisterBank& bank, RegisterInfo info);
  Register(const Register&) = delete;
  Register& operator=(const Register&) = delete;

  [[nodiscard]] uint64_t get() const { return value_; }
  void set(uint64_t value) { value_ = value & width_mask(); }
  void set_bits(uint64_t bits) { set(value_ | bits); }
  void clear_bits(uint64_t bits) { set(value_ & ~bits); }
  void reset() { value_ = info_.reset; }
  /// As reset(), but sticky bits stay.
  void reset_unless_sticky() { value_ = (value_ & info_.sticky) | (info_.reset & ~info_.sticky); }

  /// Replaces the value that a bus read gives (of a counter, say). Called with the stored value, before rc takes
  /// effect.
  void on_read(ReadHook hook) { read_hook_ = std::move(hook); }
  /// Called after the register has taken a bus write.
  void on_write(WriteHook hook) { write_hook_ = std::move(hook); }
  /// The reset value when it is a property of the board rather than of the block.
  void set_reset(uint64_t value) {
    info_.reset = value & width_mask();
    value_ = info_.reset;
  }
  /// For a description that covers several kinds of instances. Bits that this one does not have read 0 and ignore
  /// writes; bits that are fixed here keep their reset value.
  void implement_only(uint64_t bits) {
    make_read_only(~bits);
    info_.access.ro &= bits;
    set_reset(info_.reset & bits);
  }
  void make_read_only(uint64_t bits) {
    auto& access = info_.access;
    access.ro |= bits & access.defined();
    for (auto* mask : {&access.rw, &access.wo, &access.w1c, &access.w1s, &access.rc}) *mask &= ~bits;
  }

  [[nodiscard]] const RegisterInfo& info() const { return info_; }

 private:
  friend class RegisterBank;

  [[nodiscard]] uint64_t width_mask() const { return info_.bytes == 8 ? ~0ULL : (1ULL << (info_.bytes * 8)) - 1; }
  uint64_t bus_read(uint64_t mask);
  void bus_write(uint64_t data, uint64_t mask, const Origin& origin);
  [[nodiscard]] uint64_t read_value() const { return (read_hook_ ? read_hook_(value_) : value_) & ~info_.access.wo; }
  /// What a read would give, as far as it can be told without side effects.
  [[nodiscard]] uint64_t peek() const { return info_.read_side_effect ? value_ & ~info_.access.wo : read_value(); }

  RegisterInfo info_;
  uint64_t value_;
  ReadHook read_hook_;
  WriteHook write_hook_;
};

/// A field of a register, for the model's own code: `regs.STATUS.BUSY.set(1)`.
class Field {
 public:
  constexpr Field(Register& parent, unsigned shift, uint64_t mask) : register_(parent), shift_(shift), mask_(mask) {}

  [[nodiscard]] uint64_t get() const { return (register_.get() & mask_) >> shift_; }
  void set(uint64_t value) { register_.set((register_.get() & ~mask_) | ((value << shift_) & mask_)); }
  [[nodiscard]] uint64_t mask() const { return mask_; }
  /// The field's value in a write to its register.
  [[nodiscard]] uint64_t in(const RegisterWrite& write) const { return (write.written & write.mask & mask_) >> shift_; }

 private:
  Register& register_;
  unsigned shift_;
  uint64_t mask_;
};

}  // namespace npuvp::base
