// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "models/dram/address_map.h"
#include "models/dram/channel_controller.h"
#include "tests/models/dram/parts.h"

/// The traces and the front end of the runs that our controller is compared with (Ramulator 2.1 and DRAMsim3): requests
/// enter each channel in order, one attempt a clock, at most `outstanding` in the channel.
namespace npuvp::dram::reference {

struct System {
  Part part;
  Policy policy;
  uint32_t channels;
  uint32_t outstanding;  ///< Of a channel.
};

/// What a run measured: bytes of all transactions over the time of the last completion; reads from acceptance to data.
struct Result {
  double gb_per_s = 0;
  double latency_ns = 0;
  Counters counters;  ///< Of all channels.
};

/// Addresses of a pattern of `count` transactions: visit(address, write).
template <class Visit>
void generate(const std::string& pattern, uint64_t count, uint64_t capacity, uint64_t tx, const Visit& visit) {
  constexpr uint64_t kBlock = 64 << 10;
  const uint64_t bases[] = {0, capacity / 4 + kBlock, capacity / 2 + 2 * kBlock};
  uint64_t random = 0x9E3779B97F4A7C15;
  for (uint64_t i = 0; i < count; ++i) {
    if (pattern == "stream") {
      visit(i * tx % capacity, false);
    } else if (pattern == "random" || pattern == "rand21") {
      random ^= random << 13;
      random ^= random >> 7;
      random ^= random << 17;
      visit(random % (capacity / tx) * tx, pattern == "rand21" && i % 3 == 2);
    } else if (pattern == "mix21") {
      const uint64_t block = i / (kBlock / tx);
      visit(bases[block % 3] + block / 3 * kBlock + i % (kBlock / tx) * tx, block % 3 == 2);
    } else {  // add21
      visit(bases[i % 3] + i / 3 * tx, i % 3 == 2);
    }
  }
}

/// One channel from its first to its last transaction. Adds to `result`'s sums: latency in ticks. Returns the end.
inline Tick run_channel(const System& system, const std::vector<Request>& requests, ChannelController& controller,
                        double& latency_ticks) {
  std::vector<Tick> accepted(requests.size());
  std::deque<Completion> pending;
  size_t next = 0;
  uint32_t outstanding = 0;
  Tick now = 0;
  Tick last = 0;
  while (next < requests.size() || outstanding > 0) {
    for (const auto& each : controller.completions()) pending.push_back(each);
    controller.completions().clear();
    while (!pending.empty() && pending.front().time <= now) {
      const Completion done = pending.front();
      pending.pop_front();
      --outstanding;
      last = std::max(last, done.time);
      if (!done.write) latency_ticks += static_cast<double>(done.time - accepted[done.tag]);
    }
    if (next < requests.size() && outstanding < system.outstanding && controller.accept(requests[next], now)) {
      accepted[next++] = now++;
      ++outstanding;
    } else {
      const Tick event = controller.next_event();
      now = pending.empty() ? event : std::min(event, pending.front().time);
    }
    controller.run_until(now);
  }
  return last;
}

inline Result run(const System& system, const AddressMap& map, const std::string& pattern, uint64_t count) {
  std::vector<std::vector<Request>> requests(system.channels);
  const uint64_t tx = system.part.organisation.transaction_bytes;
  uint64_t reads = 0;
  for (auto& list : requests) list.reserve(count / system.channels * 9 / 8);
  generate(pattern, count, map.bytes(), tx, [&](uint64_t address, bool write) {
    uint32_t channel = 0;
    const Location where = map.location(address, channel);
    auto& list = requests[channel];
    list.push_back({.where = where, .write = write, .tag = static_cast<uint32_t>(list.size())});
    reads += write ? 0 : 1;
  });
  Result result;
  Tick end = 0;
  for (const auto& list : requests) {
    ChannelController controller(system.part, system.policy);
    end = std::max(end, run_channel(system, list, controller, result.latency_ns));
    result.counters += controller.counters();
  }
  const double tick_ns = system.part.tick_ps() / 1000;
  result.gb_per_s = static_cast<double>(count * tx) / (static_cast<double>(end) * tick_ns);
  result.latency_ns *= tick_ns / static_cast<double>(reads);
  return result;
}

/// A run of the comparison and its figures: `reference` GB/s and ns (Ramulator 2.1), `other` (DRAMsim3, 0: none).
struct Case {
  const char* part;
  const char* pattern;
  const char* map;  ///< "" where both maps give the same.
  uint64_t count;
  double gb_per_s, latency_ns, mega_requests_per_s;
  double other_gb_per_s, other_latency_ns;
};

inline const std::vector<Case>& cases() {
  static const std::vector<Case> list{
      {"gddr6", "stream", "native", 1'000'000, 142.93, 72.5, 0.33, 153.53, 85.3},
      {"gddr6", "stream", "bgil", 1'000'000, 234.03, 50.2, 0.53, 231.85, 70.0},
      {"gddr6", "random", "", 500'000, 35.80, 260.3, 0.07, 35.4, 459.6},
      {"gddr6", "mix21", "native", 1'000'000, 131.71, 103.9, 0.27, 138.05, 115.4},
      {"gddr6", "mix21", "bgil", 1'000'000, 202.01, 70.6, 0.43, 218.93, 83.2},
      {"gddr6", "add21", "native", 1'000'000, 146.99, 95.2, 0.42, 155.07, 113.3},
      {"gddr6", "add21", "bgil", 1'000'000, 128.08, 110.4, 0.33, 158.73, 141.1},
      {"gddr6", "rand21", "", 500'000, 35.66, 375.4, 0.08, 35.4, 687.2},
      {"hbm3", "stream", "native", 1'000'000, 787.34, 98.4, 0.10, 0, 0},
      {"hbm3", "stream", "bgil", 1'000'000, 1380.67, 62.8, 0.14, 0, 0},
      {"hbm3", "random", "native", 500'000, 444.75, 180.3, 0.04, 0, 0},
      {"hbm3", "mix21", "native", 1'000'000, 544.51, 192.8, 0.07, 0, 0},
      {"hbm3", "mix21", "bgil", 1'000'000, 702.71, 155.1, 0.09, 0, 0},
      {"hbm3", "add21", "native", 1'000'000, 621.00, 173.6, 0.09, 0, 0},
      {"hbm3", "rand21", "native", 500'000, 432.59, 255.6, 0.04, 0, 0},
  };
  return list;
}

inline System system(const Case& run) {
  const bool hbm = std::string(run.part) == "hbm3";
  const uint32_t entries = hbm ? 64 : 32;
  return {.part = hbm ? support::hbm3() : support::gddr6(),
          .policy = {.read_entries = entries, .write_entries = entries},
          .channels = hbm ? 32U : 8U,
          .outstanding = hbm ? 128U : 64U};
}

/// `native`: a row's columns side by side; `bgil`: bank groups (and pseudo-channels) alternate below the columns.
inline AddressMap map(const Case& run) {
  using F = Field;
  const bool native = std::string(run.map) != "bgil";
  std::vector<std::pair<Field, uint32_t>> widths;
  if (std::string(run.part) == "gddr6") {
    widths = native ? std::vector<std::pair<Field, uint32_t>>{{F::kChannel, 3}, {F::kColumn, 7}, {F::kBankGroup, 2}}
                    : std::vector<std::pair<Field, uint32_t>>{{F::kChannel, 3}, {F::kBankGroup, 2}, {F::kColumn, 7}};
  } else if (native) {
    widths = {{F::kChannel, 5}, {F::kColumn, 5}, {F::kPseudoChannel, 1}, {F::kStackId, 1}, {F::kBankGroup, 2}};
  } else {
    widths = {{F::kChannel, 5}, {F::kPseudoChannel, 1}, {F::kBankGroup, 2}, {F::kColumn, 5}, {F::kStackId, 1}};
  }
  widths.emplace_back(F::kBank, 2);
  widths.emplace_back(F::kRow, 14);
  return AddressMap(AddressMap::in_order(5, widths), 5);
}

}  // namespace npuvp::dram::reference
