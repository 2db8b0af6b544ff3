// SPDX-License-Identifier: Apache-2.0
#include "models/dram/fast_timing.h"

namespace npuvp::dram {

using sc_core::sc_time;

FastTiming::FastTiming(const Parameters& parameters)
    : latency_(parameters.latency),
      channels_({.count = parameters.channels,
                 .block_bytes = parameters.interleave_bytes,
                 .granule_bytes = parameters.transaction_bytes,
                 .bytes_per_second = parameters.channel_bytes_per_second * parameters.efficiency}) {}

sc_time FastTiming::access(sc_time arrival, uint64_t address, uint64_t bytes, bool /*write*/) {
  return channels_.reserve(arrival, address, bytes).end + latency_;
}

void FastTiming::reset() {
  channels_.reset();
}

}  // namespace npuvp::dram
