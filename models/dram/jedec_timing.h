// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>
#include <vector>

#include "models/dram/address_map.h"
#include "models/dram/annotated_channel.h"
#include "models/dram/part.h"
#include "models/dram/policy.h"
#include "models/dram/timing.h"

namespace npuvp::dram {

/// DRAM timing with bank state, refresh, queues and scheduling: a ChannelController a channel.
///
/// An access is split into transactions, which enter their channels one a tick from its arrival on. A read ends with
/// its last data, a write when its last transaction has its place in the write queue. What answers at the call of
/// accesses that overlap leave out: AnnotatedChannel.
class JedecTiming final : public Timing {
 public:
  struct Parameters {
    Part part;
    Policy policy;
    AddressMap::Formula map;
    uint32_t channels;
  };

  /// Throws std::invalid_argument for a part, a policy or a map that makes no sense.
  explicit JedecTiming(const Parameters& parameters);

  sc_core::sc_time access(sc_core::sc_time arrival, uint64_t address, uint64_t bytes, bool write) override;
  void reset() override;

  /// Bytes from 0 on that the part has under the map; no access may go beyond.
  [[nodiscard]] uint64_t bytes() const { return map_.bytes_on(parameters_.part.organisation.stack_ids); }
  [[nodiscard]] size_t channels() const { return channels_.size(); }
  /// Of one channel since construction or reset, everything asked so far included; ticks of part().tick_ps().
  [[nodiscard]] Counters counters(size_t channel) { return channels_[channel].counters(); }
  [[nodiscard]] const Part& part() const { return parameters_.part; }
  /// The command trace of one channel. Before the first access; AnnotatedChannel says when commands come.
  void set_sink(size_t channel, CommandSink* sink);
  /// Gives the sinks what is left.
  void finish();

 private:
  [[nodiscard]] Tick ticks_up(sc_core::sc_time time) const;
  [[nodiscard]] Tick ticks_down(sc_core::sc_time time) const;
  [[nodiscard]] sc_core::sc_time time_of(Tick tick) const;

  const Parameters parameters_;
  const AddressMap map_;
  const uint64_t units_per_clock_;  // of the kernel's time resolution
  std::vector<AnnotatedChannel> channels_;
  std::vector<CommandSink*> sinks_;          // by channel; they stay over a reset
  std::vector<std::vector<Request>> split_;  // of the access in hand, by channel
};

}  // namespace npuvp::dram
