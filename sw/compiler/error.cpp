// SPDX-License-Identifier: Apache-2.0
#include "sw/compiler/error.h"

#include <array>
#include <cstdio>

namespace npuvp::compiler {

CompileError::CompileError(std::string_view file, std::string_view node, std::string_view op, std::string_view what)
    : InputError(file, "node '" + printable(node) + "' (" + printable(op) + "): " + std::string(what)) {}

std::string printable(std::string_view name) {
  constexpr size_t kMaxLength = 80;
  std::string text;
  for (const char c : name) {
    if (text.size() >= kMaxLength) {
      return text + "...";
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      text += c;
    } else {
      std::array<char, 5> escaped;
      std::snprintf(escaped.data(), escaped.size(), "\\x%02x", byte);
      text += escaped.data();
    }
  }
  return text;
}

}  // namespace npuvp::compiler
