// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <utility>

namespace npuvp::base {

/// Input of an interrupt line: called with the new level.
using IrqSink = std::function<void(bool level)>;

/// A level-sensitive interrupt line with one driver and one sink, bound in assembly. A change reaches the sink at once,
/// in the same delta cycle: the single simulation thread needs no signal update phase for it.
class IrqLine {
 public:
  void connect(IrqSink sink) {
    sink_ = std::move(sink);
    if (sink_) sink_(level_);
  }
  void set(bool level) {
    if (level == level_) return;
    level_ = level;
    if (sink_) sink_(level);
  }
  [[nodiscard]] bool level() const { return level_; }

 private:
  IrqSink sink_;
  bool level_ = false;
};

}  // namespace npuvp::base
