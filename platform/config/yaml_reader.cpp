// SPDX-License-Identifier: Apache-2.0
#include "platform/config/yaml_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "platform/config/config_error.h"

namespace npuvp::config {
namespace {

/// `text` with control and non-ASCII bytes as \\xNN: a message is one line whatever the file contains.
std::string printable(const std::string& text) {
  std::string printed;
  for (const char each : text) {
    const auto byte = static_cast<unsigned char>(each);
    printed += byte >= 0x20 && byte < 0x7f ? std::string(1, each) : fmt::format("\\x{:02x}", byte);
  }
  return printed;
}

YAML::Node load(const std::string& file) {
  try {
    return YAML::LoadFile(file);
  } catch (const YAML::BadFile&) {
    throw ConfigError(fmt::format("{}: cannot be read; give an existing board file", file));
  } catch (const YAML::ParserException& error) {
    throw ConfigError(fmt::format("{}:{}: not YAML: {}", file, error.mark.line + 1, printable(error.msg)));
  }
}

}  // namespace

YamlReader::YamlReader(const std::string& file) : YamlReader({{file, load(file)}}, "") {}

YamlReader::YamlReader(std::vector<Layer> layers, std::string path)
    : layers_(std::move(layers)), path_(std::move(path)) {
  if (!layers_.front().node.IsMap()) fail("", "expected a mapping of keys to values");
}

void YamlReader::put_on(const YamlReader& below) {
  layers_.insert(layers_.end(), below.layers_.begin(), below.layers_.end());
}

void YamlReader::fail(const std::string& key, const std::string& message) const {
  const Layer* layer = &layers_.front();
  YAML::Node at = layer->node;
  if (!key.empty()) {
    for (const auto& each : layers_) {
      if (!each.node.IsMap() || !each.node[key]) continue;
      layer = &each;
      at.reset(each.node[key]);
      break;
    }
  }
  std::string place = path_ + key;
  if (place.ends_with('.')) place.pop_back();
  throw ConfigError(fmt::format("{}:{}: {}{}{}", layer->file, at.Mark().line + 1, printable(place),
                                place.empty() ? "" : ": ", printable(message)));
}

bool YamlReader::has(const std::string& key) {
  asked_.insert(key);
  return std::any_of(layers_.begin(), layers_.end(), [&](const Layer& each) { return bool{each.node[key]}; });
}

const YamlReader::Layer& YamlReader::find(const std::string& key) {
  asked_.insert(key);
  for (const auto& each : layers_) {
    if (each.node[key]) return each;
  }
  fail("", fmt::format("key '{}' is missing", key));
}

YAML::Node YamlReader::scalar(const std::string& key) {
  YAML::Node value = find(key).node[key];
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

uint32_t YamlReader::power_of_two(const std::string& key, uint32_t low, uint32_t high) {
  const uint32_t value = integer(key, low, high);
  if (!std::has_single_bit(value)) fail(key, fmt::format("{} is not a power of two", value));
  return value;
}

double YamlReader::number(const std::string& key, double low, double high) {
  const YAML::Node node = scalar(key);
  double value = 0;
  if (!YAML::convert<double>::decode(node, value) || !std::isfinite(value) || value < low || value > high) {
    fail(key, fmt::format("'{}' is not a number from {} to {}", node.Scalar(), low, high));
  }
  return value;
}

bool YamlReader::boolean(const std::string& key) {
  const YAML::Node node = scalar(key);
  if (node.Scalar() != "true" && node.Scalar() != "false") {
    fail(key, fmt::format("'{}' is neither true nor false", node.Scalar()));
  }
  return node.Scalar() == "true";
}

YamlReader YamlReader::mapping(const std::string& key) {
  (void)find(key);
  std::vector<Layer> layers;
  for (const auto& each : layers_) {
    const YAML::Node value = each.node[key];
    if (!value) continue;
    if (!value.IsMap()) fail(key, "expected a mapping of keys to values");
    layers.push_back({each.file, value});
  }
  return {std::move(layers), path_ + key + "."};
}

std::vector<YamlReader> YamlReader::list(const std::string& key) {
  const Layer& layer = find(key);
  const YAML::Node value = layer.node[key];
  if (!value.IsSequence() || value.size() == 0) fail(key, "expected a list with at least one entry");
  std::vector<YamlReader> readers;
  for (size_t i = 0; i < value.size(); ++i) {
    if (!value[i].IsMap()) fail(key, fmt::format("entry {} is not a mapping", i));
    readers.push_back(YamlReader({{layer.file, value[i]}}, fmt::format("{}{}[{}].", path_, key, i)));
  }
  return readers;
}

void YamlReader::finish() const {
  for (const auto& layer : layers_) {
    for (const auto& entry : layer.node) {
      const auto key = entry.first.Scalar();
      if (!asked_.contains(key)) fail(key, fmt::format("unknown key; known here: {}", fmt::join(asked_, ", ")));
    }
  }
}

}  // namespace npuvp::config
