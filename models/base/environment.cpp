// SPDX-License-Identifier: Apache-2.0
#include "models/base/environment.h"

#include <spdlog/sinks/stdout_color_sinks.h>

#include <string_view>

namespace npuvp::base {
namespace {

/// "ne3" -> "ne": an instance's name without its number is the class of blocks.
std::string class_of(const std::string& block) {
  const size_t last = block.find_last_not_of("0123456789");
  return last == std::string::npos ? block : block.substr(0, last + 1);
}

}  // namespace

Environment::Environment(uint64_t seed)
    : seed_(seed),
      sink_(std::make_shared<spdlog::sinks::stderr_color_sink_mt>()),
      levels_{{"all", spdlog::level::warn}},
      diagnostics_(logger("diagnostics")) {
  sink_->set_pattern("%^%l%$ %n: %v");
}

std::shared_ptr<spdlog::logger> Environment::logger(const std::string& block) {
  auto& logger = loggers_[block];
  if (!logger) {
    logger = std::make_shared<spdlog::logger>(block, sink_);
    logger->set_level(level_for(block));
  }
  return logger;
}

void Environment::set_log_level(const std::string& block, spdlog::level::level_enum level) {
  levels_[block] = level;
  for (auto& [name, logger] : loggers_) logger->set_level(level_for(name));
}

spdlog::level::level_enum Environment::level_for(const std::string& block) const {
  for (const auto& name : {block, class_of(block), std::string("all")}) {
    if (const auto found = levels_.find(name); found != levels_.end()) return found->second;
  }
  return spdlog::level::warn;
}

}  // namespace npuvp::base
