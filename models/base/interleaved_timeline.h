// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <systemc>
#include <vector>

#include "models/base/timeline.h"

namespace npuvp::base {

/// Occupancy of equal resources in which consecutive blocks of addresses lie in turn: banks of an SRAM, channels of a
/// DRAM. Each serves one access at a time at its own rate. An access occupies those that it touches
/// independently of each other, each from the first gap at or after its arrival, and ends with the last of them.
class InterleavedTimeline {
 public:
  struct Parameters {
    size_t count = 1;
    uint64_t block_bytes = 1;
    uint64_t granule_bytes = 1;       ///< Smallest transfer, to which accesses are rounded out; divides the block.
    double bytes_per_second = 512e9;  ///< Of each.
  };
  struct Slot {
    sc_core::sc_time end;
    sc_core::sc_time waited;  ///< How much earlier it would have ended if all had been idle.
  };

  /// Throws std::invalid_argument for a parameter that is 0 or a block that is no multiple of the granule.
  explicit InterleavedTimeline(const Parameters& parameters);

  /// `bytes` > 0. `stretch`: duration of a cycle, in nominal cycles.
  Slot reserve(sc_core::sc_time arrival, uint64_t address, uint64_t bytes, unsigned stretch = 1);

  void reset();

 private:
  void leave_step();

  const uint64_t block_bytes_;
  const uint64_t granule_bytes_;
  std::vector<Timeline> each_;
  // Accesses that need all of them equally long find them equally occupied, as long as no other access has come since
  // all were idle: then one timeline stands for all.
  Timeline common_;
  bool in_step_ = true;
  sc_core::sc_time last_end_;
};

}  // namespace npuvp::base
