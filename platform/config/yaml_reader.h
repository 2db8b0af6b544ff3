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
///
/// A mapping may lie on top of another of the same form (put_on()): what it leaves out comes from there, mapping by
/// mapping.
class YamlReader {
 public:
  /// The root mapping of a file.
  explicit YamlReader(const std::string& file);

  /// What this mapping leaves out is read from `below`, the root mapping of another file.
  void put_on(const YamlReader& below);

  [[nodiscard]] const std::string& file() const { return layers_.front().file; }

  /// Marks the key as known.
  [[nodiscard]] bool has(const std::string& key);

  [[nodiscard]] std::string text(const std::string& key);
  [[nodiscard]] uint32_t integer(const std::string& key, uint32_t low = 0,
                                 uint32_t high = std::numeric_limits<uint32_t>::max());
  /// An integer that is a power of two.
  [[nodiscard]] uint32_t power_of_two(const std::string& key, uint32_t low, uint32_t high);
  /// Finite, low <= value <= high.
  [[nodiscard]] double number(const std::string& key, double low, double high);
  /// true or false.
  [[nodiscard]] bool boolean(const std::string& key);
  [[nodiscard]] YamlReader mapping(const std::string& key);
  /// The entries of a list of mappings, at least one; never put together from two files.
  [[nodiscard]] std::vector<YamlReader> list(const std::string& key);
  void finish() const;

  /// Throws ConfigError about the value of `key`, or about this mapping when `key` is empty.
  [[noreturn]] void fail(const std::string& key, const std::string& message) const;

 private:
  struct Layer {
    std::string file;
    YAML::Node node;
  };

  YamlReader(std::vector<Layer> layers, std::string path);
  [[nodiscard]] YAML::Node scalar(const std::string& key);
  [[nodiscard]] const Layer& find(const std::string& key);

  std::vector<Layer> layers_;  // the topmost first
  std::string path_;           // of this mapping, with a dot behind it; empty for the root
  std::set<std::string> asked_;
};

}  // namespace npuvp::config
