// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace npuvp::compiler {

/// The whole file. Errors: InputError when it cannot be read or is larger than `limit` bytes.
[[nodiscard]] std::vector<std::byte> read_file(const std::string& path, size_t limit = size_t{1} << 30);

/// Creates or replaces the file. Errors: InputError.
void write_file(const std::string& path, std::span<const std::byte> contents);

}  // namespace npuvp::compiler
