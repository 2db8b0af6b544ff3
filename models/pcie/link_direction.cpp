// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/link_direction.h"

#include <algorithm>

namespace npuvp::pcie {
namespace {

using sc_core::sc_time;
using sc_core::sc_time_stamp;

constexpr double kAcknowledgeBytes = 8;     // one a TLP: DLLP of 6 bytes and its framing
constexpr double kFlowControlBytes = 1.43;  // a data credit

}  // namespace

void LinkDirection::configure(const ReceiveBuffers& buffers, sc_time latency) {
  latency_ = latency;
  credits(Flow::kPosted) = {CreditPool(buffers.posted_headers), CreditPool(buffers.posted_data)};
  credits(Flow::kNonPosted) = {CreditPool(buffers.non_posted_headers), CreditPool(0)};
  credits(Flow::kCompletion) = {CreditPool(buffers.completion_headers), CreditPool(buffers.completion_data)};
}

void LinkDirection::reset() {
  for (auto& each : credits_) {
    each.headers.reset();
    each.data.reset();
  }
  posted_.clear();
  owed_bytes_ = 0;
}

sc_time LinkDirection::duration_of(double bytes) const {
  return base::time_of_ticks(bytes * ticks_per_byte_);
}

/// Earliest start behind the posted requests that the burst may not pass.
sc_time LinkDirection::after_posted(const Burst& burst, sc_time arrival) {
  while (!posted_.empty() && posted_.front().passed <= sc_time_stamp()) posted_.pop_front();
  if (burst.may_pass_posted && burst.flow != Flow::kNonPosted) return arrival;
  for (auto each = posted_.rbegin(); each != posted_.rend(); ++each) {
    const bool may_pass = burst.id_based_ordering && each->requester != burst.requester;
    if (each->arrived <= arrival && !may_pass) return std::max(arrival, each->passed);
  }
  return arrival;
}

/// A burst larger than the receiver's buffer waits for credits to come back while it is under way.
sc_time LinkDirection::extra_round_trips(const Burst& burst) {
  const auto trips = [](const CreditPool& pool, uint64_t units) {
    return pool.size() == 0 || units == 0 ? 0 : (units - 1) / pool.size();
  };
  const auto& pools = credits(burst.flow);
  const uint64_t most = std::max(trips(pools.headers, burst.shape.tlps), trips(pools.data, burst.shape.data_credits));
  return 2 * static_cast<double>(most) * latency_;
}

/// DLLPs that could not be sent in the gap since the last burst.
double LinkDirection::take_owed_bytes(sc_time start) {
  if (owed_bytes_ == 0) return 0;
  const double idle = start > last_end_ ? static_cast<double>((start - last_end_).value()) / ticks_per_byte_ : 0;
  const double left = std::max(0.0, owed_bytes_ - idle);
  owed_bytes_ = 0;
  return left;
}

void LinkDirection::carry(const Burst& burst, LinkDirection& opposite, Passage& passage) {
  const sc_time now = sc_time_stamp();
  const sc_time arrival = now + passage.begin;
  auto& pools = credits(burst.flow);
  sc_time start = after_posted(burst, arrival);
  start = pools.headers.available(start, burst.shape.tlps);
  start = pools.data.available(start, burst.shape.data_credits);

  const double bytes = static_cast<double>(burst.shape.wire_bytes) + take_owed_bytes(start);
  sc_time duration = duration_of(bytes) + extra_round_trips(burst);
  if (burst.transmissions > 1) {
    duration += static_cast<double>(burst.transmissions - 1) * (duration + 2 * latency_);
    replays_ += burst.transmissions - 1;
  }
  const auto slot = timeline_.reserve(start, duration);
  last_end_ = std::max(last_end_, slot.end);
  tlps_ += burst.shape.tlps;
  wire_bytes_ += burst.shape.wire_bytes;
  opposite.owed_bytes_ += kAcknowledgeBytes * static_cast<double>(burst.shape.tlps) +
                          kFlowControlBytes * static_cast<double>(burst.shape.data_credits);

  passage.begin = slot.begin - now;
  passage.end = std::max(passage.end, slot.end - now);
  passage.drained = passage.end;
  if (burst.flow == Flow::kPosted) {
    const auto place = std::upper_bound(posted_.begin(), posted_.end(), arrival,
                                        [](const sc_time& at, const Posted& each) { return at < each.arrived; });
    posted_.insert(place, {arrival, now + passage.end, burst.requester});
  }
  passage.shift(latency_);
}

void LinkDirection::release(const Burst& burst, sc_time drained) {
  auto& pools = credits(burst.flow);
  const sc_time back = sc_time_stamp() + drained + latency_;
  pools.headers.hold(burst.shape.tlps, back);
  pools.data.hold(burst.shape.data_credits, back);
}

}  // namespace npuvp::pcie
