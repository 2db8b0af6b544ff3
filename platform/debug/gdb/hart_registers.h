// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/riscv/hart.h"
#include "platform/debug/gdb/target.h"

namespace npuvp::debug::gdb {

/// A hart's registers as GDB numbers and names them (GDB manual, section "RISC-V Features"): x0 to x31, pc, f0 to f31,
/// the CSRs that the hart has, and its privilege.
class HartRegisters {
 public:
  static constexpr unsigned kPc = 32;
  static constexpr unsigned kFirstFloat = 33;
  static constexpr unsigned kGeneral = kFirstFloat + 32;  ///< Number of those before the CSRs.
  static constexpr unsigned kFirstCsr = kGeneral;
  static constexpr unsigned kCsrs = 4096;
  static constexpr unsigned kPrivilege = kFirstCsr + kCsrs;

  /// Which CSRs there are is asked of `like`.
  explicit HartRegisters(const riscv::Hart& like);

  /// The target description.
  [[nodiscard]] std::string description() const;
  /// Nothing if there is no such register.
  [[nodiscard]] std::optional<RegisterValue> read(const riscv::Hart& hart, uint64_t number) const;
  /// False if there is no such register or it cannot be written. A hart that waits for an interrupt goes on at a new
  /// pc.
  bool write(riscv::Hart& hart, uint64_t number, uint64_t value) const;

  /// Name of a CSR by the Privileged ISA 1.12 and the Debug Specification 1.0; for others csr and its number.
  [[nodiscard]] static std::string csr_name(unsigned number);

 private:
  std::vector<bool> csrs_;  ///< Those that are there, by number.
};

}  // namespace npuvp::debug::gdb
