// SPDX-License-Identifier: Apache-2.0
#include "models/base/diagnostics.h"

#include <systemc>

namespace npuvp::base {
namespace {

/// A guest can think of any number of offences: they must not fill memory or log.
constexpr size_t kMostShown = 1000;

}  // namespace

Diagnostics::Diagnostics(std::shared_ptr<spdlog::logger> logger) : logger_(std::move(logger)) {}

void Diagnostics::misuse(const std::string& place, const std::string& what, const Origin& origin) {
  ++count_;
  last_ = fmt::format("{}: {}, by {}", place, what, origin.to_string());
  if (seen_.size() < kMostShown && seen_.insert(last_).second) {
    logger_->warn("misuse: {} (at {})", last_, sc_core::sc_time_stamp().to_string());
    if (seen_.size() == kMostShown) logger_->warn("misuse: further reports are counted, not shown");
  }
  if (policy_ == Policy::kStop && stop_) stop_();
}

}  // namespace npuvp::base
