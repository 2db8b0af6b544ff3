// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <systemc>

namespace npuvp::pcie {

/// A number of units that transactions hold for a time: flow control credits of one kind (PCI Express Base
/// Specification 2.6.1), or a requester's tags.
class CreditPool {
 public:
  /// `units` 0: without limit.
  explicit CreditPool(uint64_t units) : units_(units) {}

  [[nodiscard]] uint64_t size() const { return units_; }

  /// Absolute time from which `units`, at most size(), are free; not before `earliest`, nor before what had to wait
  /// earlier: transactions of a kind wait in order.
  [[nodiscard]] sc_core::sc_time available(sc_core::sc_time earliest, uint64_t units) {
    if (units_ == 0) return earliest;
    earliest = std::max(earliest, waited_until_);
    forget(sc_core::sc_time_stamp());
    uint64_t needed = held_ + std::min(units, units_);
    sc_core::sc_time free = earliest;
    for (auto each = holders_.begin(); needed > units_; ++each) {
      free = std::max(free, each->first);
      needed -= each->second;
    }
    if (free > earliest) {
      // Nobody who comes later starts before this, so that what is free by then need not be remembered.
      waited_until_ = free;
      forget(free);
    }
    return free;
  }

  /// Holds `units` until `release` (absolute).
  void hold(uint64_t units, sc_core::sc_time release) {
    if (units_ == 0 || units == 0) return;
    units = std::min(units, units_);
    held_ += units;
    holders_.emplace(release, units);
  }

  void reset() {
    holders_.clear();
    held_ = 0;
    waited_until_ = {};
  }

 private:
  void forget(sc_core::sc_time until) {
    while (!holders_.empty() && holders_.begin()->first <= until) {
      held_ -= holders_.begin()->second;
      holders_.erase(holders_.begin());
    }
  }

  uint64_t units_;
  uint64_t held_ = 0;
  std::multimap<sc_core::sc_time, uint64_t> holders_;  // by release
  sc_core::sc_time waited_until_;
};

}  // namespace npuvp::pcie
