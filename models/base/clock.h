// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

namespace npuvp::base {

/// A clock domain: its clock runs at the nominal frequency divided by `divider`. Blocks compute in nominal cycles and
/// stretch them; a new divider counts from the next operation on.
class ClockDomain {
 public:
  explicit ClockDomain(std::string name) : name_(std::move(name)) {}

  [[nodiscard]] const std::string& name() const { return name_; }
  /// At least 1.
  void set_divider(unsigned divider) { divider_ = divider; }
  [[nodiscard]] unsigned divider() const { return divider_; }

 private:
  std::string name_;
  unsigned divider_ = 1;
};

/// A block's clock input. Unconnected it is a clock that never changes.
class ClockInput {
 public:
  void connect(const ClockDomain& domain) { domain_ = &domain; }
  /// Duration of a cycle now, in nominal cycles.
  [[nodiscard]] unsigned stretch() const { return domain_ == nullptr ? 1 : domain_->divider(); }

 private:
  const ClockDomain* domain_ = nullptr;
};

}  // namespace npuvp::base
