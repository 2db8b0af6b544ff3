// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace npuvp::dram {

enum class PagePolicy : uint8_t {
  kOpen,    ///< A row stays open until another one is wanted.
  kClosed,  ///< The last queued access to a row precharges it (RDA, WRA).
};

enum class RefreshPolicy : uint8_t { kNone, kAllBank, kPerBank };

/// How a controller chooses among what the timing allows.
struct Policy {
  uint32_t read_entries = 32;
  uint32_t write_entries = 32;
  /// Writes are drained once their queue is fuller than `high`, until it is emptier than `low` (parts of its entries),
  /// and whenever no reads wait.
  double write_high = 0.8;
  double write_low = 0.2;
  PagePolicy page = PagePolicy::kOpen;
  RefreshPolicy refresh = RefreshPolicy::kAllBank;
  /// Once a request that needs another row of its bank has waited this long, younger hits no longer overtake it. Among
  /// requests of one direction; 0: no bound, hits overtake for as long as they come densely enough to prevent a
  /// precharge.
  uint32_t starvation_clocks = 0;
};

}  // namespace npuvp::dram
