// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace npuvp::debug::firmware {

/// Functions of RISC-V programs, from the symbol tables of their ELF files.
class FunctionTable {
 public:
  struct Function {
    uint64_t begin = 0;
    uint64_t end = 0;  ///< Behind its last byte.
    std::string name;
  };

  /// Adds a program's functions; where two programs overlap the one added last counts. Throws config::ConfigError for a
  /// file that is no RV64 ELF file or has no symbols.
  void add(const std::string& elf);

  /// The function with this address in it, or nullptr. Stays valid as long as the table does.
  [[nodiscard]] const Function* find(uint64_t address) const;
  /// By their first addresses.
  [[nodiscard]] const std::map<uint64_t, Function>& functions() const { return functions_; }

 private:
  std::map<uint64_t, Function> functions_;
};

}  // namespace npuvp::debug::firmware
