// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/link.h"

#include <algorithm>
#include <cmath>

namespace npuvp::pcie {
namespace {

using sc_core::sc_time;

// Framing, sequence number, header and LCRC of a TLP in bytes: with a 4 double word header and with a 3 double word
// one.
constexpr uint64_t kMemoryRequestBytes = 24;
constexpr uint64_t kConfigRequestBytes = 20;
constexpr uint64_t kCompletionBytes = 20;
constexpr uint64_t kDoubleWordBytes = 4;

/// Payload is whole double words: byte enables cut the first and the last.
uint64_t padded(uint64_t address, uint64_t bytes) {
  const uint64_t first = address / kDoubleWordBytes;
  const uint64_t last = (address + bytes + kDoubleWordBytes - 1) / kDoubleWordBytes;
  return (last - first) * kDoubleWordBytes;
}

uint64_t ceil_divide(uint64_t value, uint64_t by) {
  return (value + by - 1) / by;
}

/// Rate of one lane after line coding: 8b/10b up to 5 GT/s, then 128b/130b.
double lane_bytes_per_second(unsigned generation) {
  constexpr double kTransfersPerSecond[] = {2.5e9, 5e9, 8e9, 16e9, 32e9};
  const double coding = generation <= 2 ? 8.0 / 10.0 : 128.0 / 130.0;
  return kTransfersPerSecond[generation - 1] * coding / 8;
}

}  // namespace

uint64_t request_wire_bytes(const Request& request, uint32_t max_payload_bytes) {
  const uint64_t payload = padded(request.address, request.data.size());
  switch (request.kind) {
    case RequestKind::kConfigRead:
      return kConfigRequestBytes;
    case RequestKind::kConfigWrite:
      return kConfigRequestBytes + kDoubleWordBytes;
    case RequestKind::kMemoryWrite:
      return payload + kMemoryRequestBytes * ceil_divide(payload, max_payload_bytes);
    case RequestKind::kMemoryRead:
      break;
  }
  return kMemoryRequestBytes * (request.max_read_bytes == 0 ? 1 : ceil_divide(payload, request.max_read_bytes));
}

uint64_t completion_wire_bytes(uint64_t address, uint64_t bytes, uint32_t max_read_bytes, uint32_t max_payload_bytes,
                               uint32_t read_completion_boundary_bytes) {
  uint64_t wire = 0;
  const uint64_t end = address + bytes;
  const uint64_t step = max_read_bytes == 0 ? bytes : max_read_bytes;
  for (uint64_t request = address; request < end; request += step) {
    const uint64_t request_end = std::min(end, request + step);
    for (uint64_t at = request; at < request_end;) {
      const uint64_t farthest = at + max_payload_bytes;
      const uint64_t next = std::min(request_end, farthest - farthest % read_completion_boundary_bytes);
      wire += kCompletionBytes + padded(at, next - at);
      at = next;
    }
  }
  return wire;
}

Link::Link(const Parameters& parameters) : parameters_(parameters) {
  sc_assert(parameters.generation >= 1 && parameters.generation <= 5);
  sc_assert(parameters.lanes >= 1 && parameters.lanes <= 16);
  sc_assert(parameters.read_completion_boundary_bytes == 64 || parameters.read_completion_boundary_bytes == 128);
}

void Link::connect(Port& upper, Port& lower) {
  sc_assert(upper.link_ == nullptr && lower.link_ == nullptr);
  down_.transmitter = up_.receiver = &upper;
  down_.receiver = up_.transmitter = &lower;
  down_.opposite = &up_;
  up_.opposite = &down_;
  upper.link_ = &down_;
  lower.link_ = &up_;
  upper.reset_below_ = [&lower] {
    if (lower.hot_reset_) lower.hot_reset_();
  };
  upper.express().on_link_control([this] { train(); });
  train();
}

void Link::train() {
  auto& upper = down_.transmitter->express();
  auto& lower = down_.receiver->express();
  const bool was_up = is_up();
  if (upper.registers.LINK_CONTROL.LINK_DISABLE.get() != 0) {
    bytes_per_second_ = 0;
    upper.set_link(1, 0);
    if (was_up) down_.transmitter->reset_below();
    return;
  }
  const unsigned generation = std::min({parameters_.generation, upper.target_generation(), lower.generation()});
  const unsigned lanes = std::min({parameters_.lanes, upper.lanes(), lower.lanes()});
  bytes_per_second_ = lane_bytes_per_second(generation) * lanes;
  upper.set_link(generation, lanes);
  lower.set_link(generation, lanes);
}

sc_time Link::duration_of(uint64_t wire_bytes) const {
  const double seconds = static_cast<double>(wire_bytes) / bytes_per_second_;
  const double ticks = seconds / sc_core::sc_get_time_resolution().to_seconds();
  return sc_time::from_value(static_cast<uint64_t>(std::ceil(ticks)));
}

void Link::occupy(Direction& direction, Passage& passage, uint64_t wire_bytes) {
  const sc_time now = sc_core::sc_time_stamp();
  const auto slot = direction.timeline.reserve(now + passage.begin, duration_of(wire_bytes));
  passage.begin = slot.begin - now;
  passage.end = std::max(passage.end, slot.end - now);
  passage.shift(parameters_.latency);
}

Completion Link::carry(Direction& direction, Request& request, Passage& passage) {
  if (!is_up()) return Completion::kUnsupportedRequest;
  occupy(direction, passage, request_wire_bytes(request, direction.transmitter->express().max_payload_bytes()));
  const bool is_posted = request.kind == RequestKind::kMemoryWrite;
  // Nobody answers before the whole of the first request is there.
  if (!is_posted) passage.begin = std::min(passage.end, passage.begin + duration_of(kMemoryRequestBytes));
  const auto status = direction.receiver->receiver_.receive(request, passage);
  if (is_posted) return status;

  uint64_t wire_bytes = kCompletionBytes;  // without data: configuration write, or unsuccessful
  if (request.is_read() && status == Completion::kSuccess) {
    wire_bytes = completion_wire_bytes(request.address, request.data.size(), request.max_read_bytes,
                                       direction.receiver->express().max_payload_bytes(),
                                       parameters_.read_completion_boundary_bytes);
  }
  // A request that switched its own link off is still answered.
  if (is_up()) occupy(*direction.opposite, passage, wire_bytes);
  return status;
}

}  // namespace npuvp::pcie
