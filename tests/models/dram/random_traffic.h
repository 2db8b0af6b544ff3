// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "models/dram/channel_controller.h"

namespace npuvp::dram::support {

/// Drives one controller with traffic that changes its character every few thousand transactions: how many banks and
/// rows it touches, how much of it are writes, how dense it is.
class RandomTraffic {
 public:
  RandomTraffic(const Part& part, uint64_t seed) : organisation_(part.organisation), random_(seed) {}

  /// Returns the time at which the last transaction was accepted.
  Tick run(ChannelController& controller, uint64_t transactions) {
    Tick now = controller.now();
    for (uint64_t i = 0; i < transactions; ++i) {
      if (i % 4000 == 0) new_character();
      now += below(gap_ + 1);
      controller.run_until(now);
      const Request request = make();
      while (!controller.accept(request, now)) controller.run_until(now = controller.next_event());
      controller.completions().clear();
    }
    return now;
  }

 private:
  uint64_t next() {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    return random_;
  }
  Tick below(uint64_t limit) { return static_cast<Tick>((next() >> 11) % limit); }
  uint32_t pick(uint32_t limit) { return static_cast<uint32_t>(below(limit)); }

  void new_character() {
    const uint32_t kinds[] = {1, 2, 8, 1U << 20};
    banks_ = kinds[pick(4)];
    rows_ = kinds[pick(4)];
    write_percent_ = pick(5) * 25;
    gap_ = pick(4) == 0 ? 200 : pick(3);
    base_ = pick(organisation_.rows);
  }

  Request make() {
    const uint32_t limit = std::max(1U, banks_);
    Location where;
    where.pseudo_channel = static_cast<uint16_t>(pick(std::min(limit, organisation_.pseudo_channels)));
    where.stack_id = static_cast<uint16_t>(pick(std::min(limit, organisation_.stack_ids)));
    where.bank_group = static_cast<uint16_t>(pick(std::min(limit, organisation_.bank_groups)));
    where.bank = static_cast<uint16_t>(pick(std::min(limit, organisation_.banks)));
    where.row = (base_ + pick(rows_)) % organisation_.rows;
    where.column = pick(organisation_.columns);
    return {.where = where, .write = pick(100) < write_percent_, .tag = 0};
  }

  Organisation organisation_;
  uint64_t random_;
  uint32_t banks_ = 1, rows_ = 1, write_percent_ = 0, base_ = 0;
  uint64_t gap_ = 0;
};

}  // namespace npuvp::dram::support
