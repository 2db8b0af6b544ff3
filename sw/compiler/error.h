// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace npuvp::compiler {

/// A file or an option given by the user is wrong. One line: "FILE: what; remedy".
class InputError : public std::runtime_error {
 public:
  explicit InputError(const std::string& message) : std::runtime_error(message) {}
  InputError(std::string_view file, std::string_view what)
      : std::runtime_error(std::string(file) + ": " + std::string(what)) {}
};

/// A model cannot be compiled. One line: "FILE: node 'NAME' (OP): what; remedy", or without the node.
class CompileError : public InputError {
 public:
  using InputError::InputError;
  CompileError(std::string_view file, std::string_view node, std::string_view op, std::string_view what);
};

/// `name` in a form that is safe in a one-line message: control and non-ASCII bytes as \xNN, at most 80 characters.
[[nodiscard]] std::string printable(std::string_view name);

}  // namespace npuvp::compiler
