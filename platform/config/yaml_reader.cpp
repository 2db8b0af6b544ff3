// SPDX-License-Identifier: Apache-2.0
#include "platform/config/yaml_reader.h"

#include <fmt/format.h>

#include <cmath>

#include "platform/config/config_error.h"

namespace npuvp::config {
namespace {

YAML::Node load(const std::string& file) {
  try {
    return YAML::LoadFile(file);
  } catch (const YAML::BadFile&) {
    throw ConfigError(fmt::format("{}: cannot be read; give an existing board file", file));
  } catch (const YAML::ParserException& error) {
    throw ConfigError(fmt::format("{}:{}: not YAML: {}", file, error.mark.line + 1, error.msg));
  }
}

}  // namespace

YamlReader::YamlReader(const std::string& file) : YamlReader(file, "", load(file)) {}

YamlReader::YamlReader(std::string file, std::string path, YAML::Node node)
    : file_(std::move(file)), path_(std::move(path)), node_(std::move(node)) {
  if (!node_.IsMap()) fail("", "expected a mapping of keys to values");
}

void YamlReader::fail(const std::string& key, const std::string& message) const {
  YAML::Node at = node_;
  if (!key.empty() && node_.IsMap()) {
    if (const YAML::Node value = node_[key]) at.reset(value);
  }
  const std::string place = path_ + key;
  throw ConfigError(fmt::format("{}:{}: {}{}{}", file_, at.Mark().line + 1, place, place.empty() ? "" : ": ", message));
}

YAML::Node YamlReader::find(const std::string& key) {
  asked_.insert(key);
  const YAML::Node value = node_[key];
  if (!value) fail("", fmt::format("key '{}' is missing", key));
  return value;
}

YAML::Node YamlReader::scalar(const std::string& key) {
  const YAML::Node value = find(key);
  if (!value.IsScalar()) fail(key, "expected one value");
  return value;
}

std::string YamlReader::text(const std::string& key) {
  const auto value = scalar(key).Scalar();
  if (value.empty()) fail(key, "must not be empty");
  return value;
}

uint32_t YamlReader::integer(const std::string& key, uint32_t low, uint32_t high) {
  const YAML::Node node = scalar(key);
  int64_t value = 0;
  if (!YAML::convert<int64_t>::decode(node, value) || value < low || value > high) {
    fail(key, fmt::format("'{}' is not an integer from {} to {}", node.Scalar(), low, high));
  }
  return static_cast<uint32_t>(value);
}

double YamlReader::number(const std::string& key, double low, double high) {
  const YAML::Node node = scalar(key);
  double value = 0;
  if (!YAML::convert<double>::decode(node, value) || !std::isfinite(value) || value < low || value > high) {
    fail(key, fmt::format("'{}' is not a number from {} to {}", node.Scalar(), low, high));
  }
  return value;
}

YamlReader YamlReader::mapping(const std::string& key) {
  const YAML::Node value = find(key);
  if (!value.IsMap()) fail(key, "expected a mapping of keys to values");
  return {file_, path_ + key + ".", value};
}

std::vector<YamlReader> YamlReader::list(const std::string& key) {
  const YAML::Node value = find(key);
  if (!value.IsSequence() || value.size() == 0) fail(key, "expected a list with at least one entry");
  std::vector<YamlReader> readers;
  for (size_t i = 0; i < value.size(); ++i) {
    if (!value[i].IsMap()) fail(key, fmt::format("entry {} is not a mapping", i));
    readers.push_back(YamlReader(file_, fmt::format("{}{}[{}].", path_, key, i), value[i]));
  }
  return readers;
}

std::vector<std::string> YamlReader::texts(const std::string& key) {
  const YAML::Node value = find(key);
  if (!value.IsSequence() || value.size() == 0) fail(key, "expected a list with at least one entry");
  std::vector<std::string> texts;
  for (size_t i = 0; i < value.size(); ++i) {
    if (!value[i].IsScalar()) fail(key, fmt::format("entry {} is not one value", i));
    texts.push_back(value[i].Scalar());
  }
  return texts;
}

bool YamlReader::has(const std::string& key) {
  asked_.insert(key);
  return static_cast<bool>(node_[key]);
}

void YamlReader::finish() const {
  for (const auto& entry : node_) {
    const auto key = entry.first.Scalar();
    if (asked_.contains(key)) continue;
    std::string known;
    for (const auto& each : asked_) known += (known.empty() ? "" : ", ") + each;
    fail(key, fmt::format("unknown key; known here: {}", known));
  }
}

}  // namespace npuvp::config
