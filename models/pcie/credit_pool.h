// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <systemc>
#include <vector>

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
    units = std::min(units, units_);
    if (held_ + units <= units_) return earliest;  // even if nobody had given back anything
    forget(sc_core::sc_time_stamp());
    uint64_t needed = held_ + units;
    sc_core::sc_time free = earliest;
    for (auto each = first(); needed > units_; ++each) {
      free = std::max(free, each->release);
      needed -= each->units;
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
    auto place = holders_.end();  // nearly always
    while (place != first() && std::prev(place)->release > release) --place;
    holders_.insert(place, {release, units});
  }

  void reset() {
    holders_.clear();
    past_ = 0;
    held_ = 0;
    waited_until_ = {};
  }

 private:
  struct Holder {
    sc_core::sc_time release;
    uint64_t units;
  };

  [[nodiscard]] std::vector<Holder>::iterator first() { return holders_.begin() + static_cast<std::ptrdiff_t>(past_); }
  void forget(sc_core::sc_time until) {
    while (past_ < holders_.size() && holders_[past_].release <= until) held_ -= holders_[past_++].units;
    if (past_ <= holders_.size() / 2) return;
    holders_.erase(holders_.begin(), first());
    past_ = 0;
  }

  uint64_t units_;
  uint64_t held_ = 0;
  std::vector<Holder> holders_;  // by release
  size_t past_ = 0;              // of them have given theirs back
  sc_core::sc_time waited_until_;
};

}  // namespace npuvp::pcie
