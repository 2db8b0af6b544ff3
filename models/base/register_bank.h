// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <tlm>
#include <vector>

#include "models/base/environment.h"
#include "models/base/register.h"

namespace npuvp::base {

/// The registers of one map of a block; the derived class with its members is generated from registers.yaml.
///
/// Device registers are strict: an access must be aligned and as wide as its register (a 64-bit register also takes its
/// two 32-bit halves). Anything else, an offset without a register, a changed read-only bit or a 1 in an undefined bit
/// is reported as misuse; the first two also fail on the bus. Configuration space is lenient as PCI demands
/// (kBytewise).
class RegisterBank {
 public:
  enum class Rules : uint8_t { kStrict, kBytewise };

  RegisterBank(Environment& environment, std::string name, uint64_t size, Rules rules = Rules::kStrict);
  virtual ~RegisterBank();
  RegisterBank(const RegisterBank&) = delete;
  RegisterBank& operator=(const RegisterBank&) = delete;

  /// A bus access relative to the map. Takes no time by itself; sets the response status.
  void transport(tlm::tlm_generic_payload& payload);

  /// A debugger's access: no hooks with side effects, no diagnostics. Returns the bytes moved; writes move none.
  unsigned transport_debug(tlm::tlm_generic_payload& payload);

  /// The same without a payload. False: bus error, the read gives zeros.
  bool read(uint64_t offset, std::span<uint8_t> data, const Origin& origin);
  bool write(uint64_t offset, std::span<const uint8_t> data, const Origin& origin);

  /// Every register to its reset value; no hook is called.
  void reset();
  /// The same, but sticky bits stay.
  void reset_unless_sticky();

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] uint64_t size() const { return size_; }
  /// In order of offset.
  [[nodiscard]] const std::vector<Register*>& registers() const { return registers_; }
  /// What a debugger shows of one of the registers: what a read would give, without its side effects.
  [[nodiscard]] static uint64_t peek(const Register& each) { return each.peek(); }
  /// The register that covers the byte at `offset`, or nullptr.
  [[nodiscard]] Register* find(uint64_t offset) const;

 private:
  friend class Register;

  void add(Register& added);
  Register* find_for_access(uint64_t offset, size_t bytes, const Origin& origin);
  void check_write(const Register& target, uint64_t data, uint64_t mask, const Origin& origin);
  void note(const Register& target, const char* verb, uint64_t value, uint64_t mask, const Origin& origin);
  [[nodiscard]] std::string place(const Register& target) const { return name_ + "." + target.info().name; }

  Environment& environment_;
  std::shared_ptr<spdlog::logger> log_;
  std::string name_;
  uint64_t size_;
  Rules rules_;
  std::vector<Register*> registers_;
};

}  // namespace npuvp::base
