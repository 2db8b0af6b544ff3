// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <spdlog/logger.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/base/diagnostics.h"
#include "models/base/trace.h"

namespace npuvp::base {

class RegisterBank;

/// What every block of one platform shares: logging, diagnostics, the event stream and the seed.
/// Passed by reference into each block's constructor; outlives all blocks.
class Environment {
 public:
  explicit Environment(uint64_t seed = 1);

  [[nodiscard]] uint64_t seed() const { return seed_; }
  [[nodiscard]] Diagnostics& diagnostics() { return diagnostics_; }
  [[nodiscard]] Trace& trace() { return trace_; }

  /// All register banks in the order of their construction, for debuggers. RegisterBank keeps the list.
  [[nodiscard]] const std::vector<const RegisterBank*>& register_banks() const { return banks_; }

  /// Logger of one block, by its full SystemC name, for example "server.card0.ne3".
  [[nodiscard]] std::shared_ptr<spdlog::logger> logger(const std::string& name);

  /// Sets the level for loggers made before or after. `block` is a part of their names at any level: "card0" covers all
  /// of that card, "mailbox" its two register maps, "ne" every ne0, ne1, ...; "all" is everything. The longest one
  /// counts, among equals the one set last.
  void set_log_level(const std::string& block, spdlog::level::level_enum level);

 private:
  friend class RegisterBank;

  [[nodiscard]] spdlog::level::level_enum level_for(const std::string& name) const;

  uint64_t seed_;
  spdlog::sink_ptr sink_;
  std::vector<std::pair<std::string, spdlog::level::level_enum>> levels_;  // in the order they were set
  std::map<std::string, std::shared_ptr<spdlog::logger>> loggers_;
  std::vector<const RegisterBank*> banks_;
  Diagnostics diagnostics_;
  Trace trace_;
};

}  // namespace npuvp::base
