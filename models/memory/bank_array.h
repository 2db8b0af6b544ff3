// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>
#include <vector>

#include "models/base/timeline.h"

namespace npuvp::memory {

/// Occupancy of a memory's banks. Words of `word_bytes` lie in the banks in turn; each bank serves one access at a
/// time, whole words at its part of the array's rate. An access occupies its banks independently of each other, each
/// from the first gap at or after its arrival, and ends with the last of them.
class BankArray {
 public:
  struct Parameters {
    unsigned banks = 1;
    uint64_t word_bytes = 1;          ///< What a bank delivers in a cycle; 1: charged by the byte.
    double bytes_per_second = 512e9;  ///< Of all banks together.
  };
  struct Slot {
    sc_core::sc_time end;
    sc_core::sc_time waited;  ///< How much earlier it would have ended in an idle array.
  };

  /// Throws std::invalid_argument for a parameter that is 0.
  explicit BankArray(const Parameters& parameters);

  /// `bytes` > 0. `stretch`: duration of a cycle, in nominal cycles.
  Slot reserve(sc_core::sc_time arrival, uint64_t address, uint64_t bytes, unsigned stretch = 1);

  void reset();

 private:
  void leave_step();

  const uint64_t word_bytes_;
  std::vector<base::Timeline> banks_;
  // Accesses that need every bank equally long find every bank equally occupied, as long as no other access has come
  // since the array was idle: then one timeline stands for all.
  base::Timeline common_;
  bool in_step_ = true;
  sc_core::sc_time last_end_;
};

}  // namespace npuvp::memory
