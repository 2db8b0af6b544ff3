// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <systemc>

#include "models/base/timeline.h"
#include "models/pcie/credit_pool.h"
#include "models/pcie/port.h"
#include "models/pcie/tlp.h"

namespace npuvp::pcie {

/// One direction of a link: when bursts pass, by bandwidth, credits and ordering.
///
/// - A burst occupies the direction for the bytes of all its TLPs at the raw rate after line coding (Gen5 x16:
///   63.0 GB/s).
/// - Received TLPs are answered by acknowledge and flow control packets (DLLPs) in the opposite direction: 8 bytes a
/// TLP
///   and 1.43 bytes a data credit. The second figure is fitted to the published worst case (README.md). They fill gaps;
///   on a busy direction the next burst takes them along.
/// - A burst starts when the receiver's buffers have room for its headers and data (PCI Express Base Specification
///   2.6.1), or as much as they ever have; a burst larger than that takes several round trips.
/// - Nothing passes a posted request that arrived before it, unless relaxed or ID-based ordering says so (2.4.1).
class LinkDirection {
 public:
  enum class Flow : uint8_t { kPosted, kNonPosted, kCompletion };

  struct Burst {
    Flow flow;
    TlpShape shape;
    bool may_pass_posted = false;    ///< Relaxed ordering; never of a non-posted request.
    bool id_based_ordering = false;  ///< May pass posted requests of other requesters.
    RoutingId requester = 0;
    unsigned transmissions = 1;  ///< More than 1: replayed.
  };

  /// Buffers of the receiver, and the delay of anything that goes this way.
  void configure(const ReceiveBuffers& buffers, sc_core::sc_time latency);

  /// Rate in bytes per second, 0 while the link is down. What was reserved is kept.
  void set_rate(double bytes_per_second) { ticks_per_byte_ = bytes_per_second > 0 ? ticks_of(bytes_per_second) : 0; }

  /// Nothing passes for `duration` from now on.
  void block(sc_core::sc_time duration) { timeline_.reserve(sc_core::sc_time_stamp(), duration); }

  /// Moves `passage` from the transmitter to the receiver; on return `passage.drained` is when the transmitter's buffer
  /// is free of the burst. `opposite` will carry the answers.
  void carry(const Burst& burst, LinkDirection& opposite, Passage& passage);

  /// The receiver's buffer is free of a burst that it got by carry(), relative to now.
  void release(const Burst& burst, sc_core::sc_time drained);

  /// How long one of the burst's requests takes.
  [[nodiscard]] sc_core::sc_time first_request_time(const TlpShape& shape) const {
    return duration_of(static_cast<double>(shape.wire_bytes) / static_cast<double>(shape.tlps));
  }

  /// The link went down: nothing is held any more.
  void reset();

  /// Since construction: time in use, TLPs and their bytes, bytes of DLLPs that had to take turns with them.
  [[nodiscard]] sc_core::sc_time busy() const { return timeline_.busy(); }
  [[nodiscard]] uint64_t tlps() const { return tlps_; }
  [[nodiscard]] uint64_t wire_bytes() const { return wire_bytes_; }
  [[nodiscard]] uint64_t replays() const { return replays_; }

 private:
  struct Posted {
    sc_core::sc_time arrived;
    sc_core::sc_time passed;
    RoutingId requester;
  };
  struct Credits {
    CreditPool headers{0};
    CreditPool data{0};
  };

  static double ticks_of(double bytes_per_second) {
    return 1.0 / (bytes_per_second * sc_core::sc_get_time_resolution().to_seconds());
  }
  [[nodiscard]] sc_core::sc_time duration_of(double bytes) const;
  [[nodiscard]] Credits& credits(Flow flow) { return credits_[static_cast<size_t>(flow)]; }
  [[nodiscard]] sc_core::sc_time after_posted(const Burst& burst, sc_core::sc_time arrival);
  [[nodiscard]] sc_core::sc_time extra_round_trips(const Burst& burst);
  double take_owed_bytes(sc_core::sc_time start);

  sc_core::sc_time latency_;
  double ticks_per_byte_ = 0;
  base::Timeline timeline_{1.0};  // reserved by durations: the rate changes with training
  std::array<Credits, 3> credits_;
  std::deque<Posted> posted_;  // in order of arrival
  double owed_bytes_ = 0;      // of DLLPs not sent yet
  sc_core::sc_time last_end_;
  uint64_t tlps_ = 0;
  uint64_t wire_bytes_ = 0;
  uint64_t replays_ = 0;
};

}  // namespace npuvp::pcie
