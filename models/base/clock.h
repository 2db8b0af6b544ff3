// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

namespace npuvp::base {

/// A clock domain: its clock runs at the nominal frequency divided by `divider`. Blocks compute in nominal cycles and
/// stretch them; a new divider counts from the next operation on. A clock on demand is that slow only while nobody uses
/// it: it is at its nominal frequency for every operation.
class ClockDomain {
 public:
  explicit ClockDomain(std::string name) : name_(std::move(name)) {}

  [[nodiscard]] const std::string& name() const { return name_; }
  /// At least 1.
  void set_divider(unsigned divider, bool on_demand = false) {
    divider_ = divider;
    stretch_ = on_demand ? 1 : divider;
  }
  [[nodiscard]] unsigned divider() const { return divider_; }
  /// Duration of an operation's cycle, in nominal cycles.
  [[nodiscard]] unsigned stretch() const { return stretch_; }

 private:
  std::string name_;
  unsigned divider_ = 1;
  unsigned stretch_ = 1;
};

/// Time `nominal` in cycles of `stretch` nominal cycles each.
[[nodiscard]] inline sc_core::sc_time stretched(sc_core::sc_time nominal, uint64_t stretch) {
  return stretch == 1 ? nominal : sc_core::sc_time::from_value(nominal.value() * stretch);
}

/// A block's clock input. Unconnected it is a clock that never changes.
class ClockInput {
 public:
  void connect(const ClockDomain& domain) { domain_ = &domain; }
  /// Duration of a cycle now, in nominal cycles.
  [[nodiscard]] unsigned stretch() const { return domain_ == nullptr ? 1 : domain_->stretch(); }

 private:
  const ClockDomain* domain_ = nullptr;
};

}  // namespace npuvp::base
