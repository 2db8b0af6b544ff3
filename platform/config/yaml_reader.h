// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

namespace npuvp::config {

/// One mapping of a YAML file, read key by key with types and limits checked. Every error is a ConfigError with
/// file:line, the path of keys and what was expected. finish() refuses keys that nobody asked for.
class YamlReader {
 public:
  /// The root mapping of a file.
  explicit YamlReader(const std::string& file);

  [[nodiscard]] std::string text(const std::string& key);
  [[nodiscard]] uint32_t integer(const std::string& key, uint32_t low = 0,
                                 uint32_t high = std::numeric_limits<uint32_t>::max());
  /// Finite, low <= value <= high.
  [[nodiscard]] double number(const std::string& key, double low, double high);
  [[nodiscard]] YamlReader mapping(const std::string& key);
  [[nodiscard]] std::vector<YamlReader> list(const std::string& key);
  /// A list of plain values, at least one.
  [[nodiscard]] std::vector<std::string> texts(const std::string& key);
  /// True if the mapping has the optional key.
  [[nodiscard]] bool has(const std::string& key);
  void finish() const;

  /// Throws ConfigError about the value of `key`, or about this mapping when `key` is empty.
  [[noreturn]] void fail(const std::string& key, const std::string& message) const;

 private:
  YamlReader(std::string file, std::string path, YAML::Node node);
  [[nodiscard]] YAML::Node scalar(const std::string& key);
  [[nodiscard]] YAML::Node find(const std::string& key);

  std::string file_;
  std::string path_;  // of this mapping, with a dot behind it; empty for the root
  YAML::Node node_;
  std::set<std::string> asked_;
};

}  // namespace npuvp::config
