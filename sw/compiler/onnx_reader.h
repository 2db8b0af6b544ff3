// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "sw/compiler/graph.h"

namespace npuvp::compiler {

/// Reads an ONNX model (operator sets 7 and later, weights inside the file) and infers its shapes. A symbolic batch
/// becomes 1. The file is not trusted: every length, shape and name is checked.
/// Errors: CompileError naming the file and the node; InputError when the file cannot be read.
[[nodiscard]] Graph read_onnx(const std::string& path);

/// The same from memory; `name` stands for the file in messages.
[[nodiscard]] Graph parse_onnx(const std::string& name, std::span<const std::byte> contents);

}  // namespace npuvp::compiler
