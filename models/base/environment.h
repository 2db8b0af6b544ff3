// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <spdlog/logger.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "models/base/diagnostics.h"
#include "models/base/trace.h"

namespace npuvp::base {

/// What every block of one platform shares: logging, diagnostics, the event stream and the seed.
/// Passed by reference into each block's constructor; outlives all blocks.
class Environment {
 public:
  explicit Environment(uint64_t seed = 1);

  [[nodiscard]] uint64_t seed() const { return seed_; }
  [[nodiscard]] Diagnostics& diagnostics() { return diagnostics_; }
  [[nodiscard]] Trace& trace() { return trace_; }

  /// Logger of one block. `block` is the instance's name below its card, for example "task_manager" or "ne3"; a level
  /// set for a class of blocks ("ne") holds for all its instances.
  [[nodiscard]] std::shared_ptr<spdlog::logger> logger(const std::string& block);

  /// Sets the level for loggers made before or after; "all" means every block.
  void set_log_level(const std::string& block, spdlog::level::level_enum level);

 private:
  [[nodiscard]] spdlog::level::level_enum level_for(const std::string& block) const;

  uint64_t seed_;
  spdlog::sink_ptr sink_;
  std::map<std::string, spdlog::level::level_enum> levels_;
  std::map<std::string, std::shared_ptr<spdlog::logger>> loggers_;
  Diagnostics diagnostics_;
  Trace trace_;
};

}  // namespace npuvp::base
