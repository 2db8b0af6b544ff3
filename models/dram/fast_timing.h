// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>

#include "models/base/interleaved_timeline.h"
#include "models/dram/timing.h"

namespace npuvp::dram {

/// Burst-level timing without bank state: channels with their sustained rate.
///
/// Consecutive blocks of `interleave_bytes` lie in consecutive channels (base::InterleavedTimeline). An access reserves
/// each of its channels once, from its arrival, for the whole transactions that it touches there, and ends `latency`
/// after the last channel.
class FastTiming final : public Timing {
 public:
  struct Parameters {
    unsigned channels = 8;
    double channel_bytes_per_second = 32e9;  ///< Peak: 16 bit at 16 Gb/s (GDDR6).
    /// Sustained part of the peak: streaming reads, address map that alternates bank groups, Ramulator 2: README.md.
    double efficiency = 0.914;
    uint64_t interleave_bytes = 256;               ///< (u)
    uint64_t transaction_bytes = 32;               ///< Smallest transfer: burst of 16 on 16 bit.
    sc_core::sc_time latency{50, sc_core::SC_NS};  ///< (u) Of a streaming read.
  };

  /// Throws std::invalid_argument for a parameter that is 0 or an interleave that splits a transaction.
  explicit FastTiming(const Parameters& parameters);

  sc_core::sc_time access(sc_core::sc_time arrival, uint64_t address, uint64_t bytes, bool write) override;
  void reset() override;

 private:
  const sc_core::sc_time latency_;
  base::InterleavedTimeline channels_;
};

}  // namespace npuvp::dram
