// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <spdlog/logger.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "models/base/sideband.h"

namespace npuvp::base {

/// Reports misuse of the modelled hardware by the software under test: firmware, driver or a host program did what the
/// block's documentation forbids. (The other kinds of error, docs/architecture.md section 7, do not come here.)
class Diagnostics {
 public:
  /// What follows a report. kFail makes failed() true, which tests and regressions turn into exit status 1.
  enum class Policy : uint8_t { kReport, kStop, kFail };

  explicit Diagnostics(std::shared_ptr<spdlog::logger> logger);

  void set_policy(Policy policy) { policy_ = policy; }
  /// Called at a report under Policy::kStop, for a debugger to take over.
  void on_stop(std::function<void()> handler) { stop_ = std::move(handler); }

  /// `place` names block and register, for example "task_manager.STATUS"; `what` the offence with its value.
  /// The same offence at the same place from the same origin is printed once and counted each time; after 1000
  /// different ones nothing more is printed.
  void misuse(const std::string& place, const std::string& what, const Origin& origin);

  [[nodiscard]] uint64_t misuse_count() const { return count_; }
  [[nodiscard]] const std::string& last_misuse() const { return last_; }
  [[nodiscard]] bool failed() const { return policy_ == Policy::kFail && count_ > 0; }

 private:
  std::shared_ptr<spdlog::logger> logger_;
  Policy policy_ = Policy::kReport;
  std::function<void()> stop_;
  std::set<std::string> seen_;
  std::string last_;
  uint64_t count_ = 0;
};

}  // namespace npuvp::base
