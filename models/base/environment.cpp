// SPDX-License-Identifier: Apache-2.0
#include "models/base/environment.h"

#include <spdlog/sinks/stdout_color_sinks.h>

namespace npuvp::base {
namespace {

bool is_digit(char each) {
  return each >= '0' && each <= '9';
}

/// True if `part` is some components of the dotted `name`; the number at the end of the last one may be left out.
bool names_part_of(const std::string& part, const std::string& name) {
  for (size_t at = name.find(part); at != std::string::npos; at = name.find(part, at + 1)) {
    size_t end = at + part.size();
    while (end < name.size() && is_digit(name[end])) ++end;
    if ((at == 0 || name[at - 1] == '.') && (end == name.size() || name[end] == '.')) return true;
  }
  return false;
}

}  // namespace

Environment::Environment(uint64_t seed)
    : seed_(seed), sink_(std::make_shared<spdlog::sinks::stderr_color_sink_mt>()), diagnostics_(logger("diagnostics")) {
  sink_->set_pattern("%^%l%$ %n: %v");
}

std::shared_ptr<spdlog::logger> Environment::logger(const std::string& name) {
  auto& logger = loggers_[name];
  if (!logger) {
    logger = std::make_shared<spdlog::logger>(name, sink_);
    logger->set_level(level_for(name));
  }
  return logger;
}

void Environment::set_log_level(const std::string& block, spdlog::level::level_enum level) {
  levels_.emplace_back(block, level);
  for (auto& [name, logger] : loggers_) logger->set_level(level_for(name));
}

spdlog::level::level_enum Environment::level_for(const std::string& name) const {
  auto level = spdlog::level::warn;
  size_t length = 0;
  for (const auto& [block, asked] : levels_) {
    const size_t specific = block == "all" ? 0 : block.size();
    if (specific < length || (block != "all" && !names_part_of(block, name))) continue;
    length = specific;
    level = asked;
  }
  return level;
}

}  // namespace npuvp::base
