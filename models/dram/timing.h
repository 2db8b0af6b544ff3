// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>

namespace npuvp::dram {

/// Decides when a DRAM access has completed: the part of the controller that board files choose.
class Timing {
 public:
  virtual ~Timing() = default;

  /// An access to [address, address + bytes), bytes > 0, arrives at `arrival` (absolute). Returns the time at which its
  /// last byte is read, or accepted for writing.
  virtual sc_core::sc_time access(sc_core::sc_time arrival, uint64_t address, uint64_t bytes, bool write) = 0;

  /// Forgets everything scheduled.
  virtual void reset() = 0;
};

}  // namespace npuvp::dram
