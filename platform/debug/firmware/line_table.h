// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace npuvp::debug::firmware {

/// What a program's DWARF line tables say of its code. Functions that the linker has dropped are not in it, though
/// their lines are in the file.
struct LineTable {
  /// Where code of a source line begins.
  struct Row {
    uint64_t address;
    std::string file;
    int line;
  };
  /// A function with code of its own.
  struct Function {
    uint64_t address;
    std::string name;
    std::string file;
    int line;
  };

  /// Throws config::ConfigError for a file without debug information.
  static LineTable read(const std::string& elf);

  std::vector<Row> rows;            ///< By address.
  std::vector<Function> functions;  ///< By address.
};

}  // namespace npuvp::debug::firmware
