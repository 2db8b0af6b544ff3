// SPDX-License-Identifier: Apache-2.0
#include "platform/main/resources.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "platform/config/config_error.h"

namespace npuvp::main {

Resources resources() {
  return {NPUVP_SOURCE_DIR, NPUVP_BUILD_DIR, NPUVP_CACHE_DIR};
}

std::string read_file(const std::string& path, const std::string& what) {
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    throw config::ConfigError(fmt::format("{}: no such file ({})", path, what));
  if (!std::filesystem::is_regular_file(path, error)) {
    throw config::ConfigError(fmt::format("{}: not a file ({})", path, what));
  }
  std::ifstream in(path, std::ios::binary);
  std::string contents{std::istreambuf_iterator<char>(in), {}};
  if (!in) throw config::ConfigError(fmt::format("{}: cannot be read ({}); check its permissions", path, what));
  return contents;
}

void write_file(const std::string& path, const std::string& contents) {
  std::ofstream out(path, std::ios::binary);
  out << contents;
  out.close();
  if (!out) throw config::ConfigError(path + ": cannot be written; give a file in a writable folder");
}

}  // namespace npuvp::main
