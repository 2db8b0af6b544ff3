// SPDX-License-Identifier: Apache-2.0
#include "models/base/interleaved_timeline.h"

#include <algorithm>
#include <stdexcept>

#include "models/base/clock.h"

namespace npuvp::base {

using sc_core::sc_time;

namespace {

const InterleavedTimeline::Parameters& checked(const InterleavedTimeline::Parameters& parameters) {
  if (parameters.count == 0 || parameters.block_bytes == 0 || parameters.granule_bytes == 0 ||
      !(parameters.bytes_per_second > 0)) {
    throw std::invalid_argument("interleaved memory needs banks or channels, blocks and a rate above 0");
  }
  if (parameters.block_bytes % parameters.granule_bytes != 0) {
    throw std::invalid_argument("the block of an interleaved memory must be a multiple of its smallest transfer");
  }
  return parameters;
}

}  // namespace

InterleavedTimeline::InterleavedTimeline(const Parameters& parameters)
    : block_bytes_(checked(parameters).block_bytes),
      granule_bytes_(parameters.granule_bytes),
      each_(parameters.count, Timeline(parameters.bytes_per_second)),
      common_(parameters.bytes_per_second) {}

InterleavedTimeline::Slot InterleavedTimeline::reserve(sc_time arrival, uint64_t address, uint64_t bytes,
                                                       unsigned stretch) {
  const uint64_t begin = address / granule_bytes_ * granule_bytes_;
  const uint64_t end = (address + bytes + granule_bytes_ - 1) / granule_bytes_ * granule_bytes_;
  const uint64_t first = begin / block_bytes_;
  const uint64_t blocks = (end - 1) / block_bytes_ - first + 1;
  const uint64_t rounds = blocks / each_.size();
  const uint64_t more = blocks % each_.size();  // from that of the first block on, how many have a block more
  // Of its first and its last block an access may take a part.
  const uint64_t head = begin - first * block_bytes_;
  const uint64_t tail = (first + blocks) * block_bytes_ - end;
  // What lies in the past binds nobody, so what is idle is in step again.
  if (!in_step_ && last_end_ <= sc_core::sc_time_stamp()) reset();

  Slot slot{arrival, {}};
  sc_time longest;
  if (in_step_ && more == 0 && head == 0 && tail == 0) {
    longest = stretched(common_.duration_of(rounds * block_bytes_), stretch);
    slot.end = common_.reserve(arrival, longest).end;
  } else {
    leave_step();
    const uint64_t last = (blocks - 1) % each_.size();
    for (uint64_t i = 0; i < std::min<uint64_t>(blocks, each_.size()); ++i) {
      const uint64_t share =
          (rounds + (i < more ? 1 : 0)) * block_bytes_ - (i == 0 ? head : 0) - (i == last ? tail : 0);
      const sc_time duration = stretched(common_.duration_of(share), stretch);
      longest = std::max(longest, duration);
      slot.end = std::max(slot.end, each_[(first + i) % each_.size()].reserve(arrival, duration).end);
    }
  }
  slot.waited = slot.end - arrival - longest;
  last_end_ = std::max(last_end_, slot.end);
  return slot;
}

void InterleavedTimeline::leave_step() {
  if (!in_step_) return;
  std::fill(each_.begin(), each_.end(), common_);
  in_step_ = false;
}

void InterleavedTimeline::reset() {
  common_.reset();
  for (auto& timeline : each_) timeline.reset();
  in_step_ = true;
}

}  // namespace npuvp::base
