// SPDX-License-Identifier: Apache-2.0
#include "models/dram/fast_timing.h"

#include <algorithm>
#include <stdexcept>

namespace npuvp::dram {

using sc_core::sc_time;

FastTiming::FastTiming(const Parameters& parameters) : parameters_(parameters), bytes_(parameters.channels) {
  const double rate = parameters.channel_bytes_per_second * parameters.efficiency;
  if (parameters.channels == 0 || !(rate > 0)) throw std::invalid_argument("DRAM needs channels and a rate above 0");
  if (parameters.transaction_bytes == 0 || parameters.interleave_bytes == 0 ||
      parameters.interleave_bytes % parameters.transaction_bytes != 0) {
    throw std::invalid_argument("DRAM interleave must be a multiple of the transaction size");
  }
  channels_.assign(parameters.channels, base::Timeline(rate));
}

sc_time FastTiming::access(sc_time arrival, uint64_t address, uint64_t bytes, bool /*write*/) {
  const uint64_t granule = parameters_.transaction_bytes;
  const uint64_t end = (address + bytes + granule - 1) / granule * granule;
  for (uint64_t at = address / granule * granule; at < end;) {
    const uint64_t block = at / parameters_.interleave_bytes;
    const uint64_t next = std::min(end, (block + 1) * parameters_.interleave_bytes);
    bytes_[block % parameters_.channels] += next - at;
    at = next;
  }
  sc_time last = arrival;
  for (size_t channel = 0; channel < channels_.size(); ++channel) {
    if (bytes_[channel] == 0) continue;
    last = std::max(last, channels_[channel].reserve_bytes(arrival, bytes_[channel]).end);
    bytes_[channel] = 0;
  }
  return last + parameters_.latency;
}

void FastTiming::reset() {
  for (auto& channel : channels_) channel.reset();
}

}  // namespace npuvp::dram
