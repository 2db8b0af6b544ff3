// SPDX-License-Identifier: Apache-2.0
#include "models/base/interleaved_timeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <stdexcept>
#include <vector>

#include "tests/models/base/test_bus.h"

namespace npuvp::base {
namespace {

using sc_core::sc_time;
using test::ns;

TEST(InterleavedTimeline, NeedsParametersThatMakeSense) {
  EXPECT_THROW(InterleavedTimeline({.count = 0}), std::invalid_argument);
  EXPECT_THROW(InterleavedTimeline({.block_bytes = 0}), std::invalid_argument);
  EXPECT_THROW(InterleavedTimeline({.granule_bytes = 0}), std::invalid_argument);
  EXPECT_THROW(InterleavedTimeline({.block_bytes = 48, .granule_bytes = 32}), std::invalid_argument);
  EXPECT_THROW(InterleavedTimeline({.bytes_per_second = 0}), std::invalid_argument);
}

TEST(InterleavedTimeline, TellsHowLongAnAccessWaited) {
  InterleavedTimeline banks({.count = 2, .block_bytes = 16, .granule_bytes = 16, .bytes_per_second = 1e9});
  EXPECT_EQ(banks.reserve(ns(0), 0, 64).waited, ns(0));
  const auto second = banks.reserve(ns(10), 0, 16);
  EXPECT_EQ(second.end, ns(48));
  EXPECT_EQ(second.waited, ns(22));
}

TEST(InterleavedTimeline, SlowCyclesStretchTheAccess) {
  InterleavedTimeline banks({.count = 2, .block_bytes = 16, .granule_bytes = 16, .bytes_per_second = 1e9});
  EXPECT_EQ(banks.reserve(ns(0), 0, 32, 4).end, ns(64));
}

// Against one Timeline each and a walk over the granules, for accesses of all kinds.
TEST(InterleavedTimeline, RandomAccessesAreThoseOfIndependentResources) {
  const InterleavedTimeline::Parameters shapes[] = {
      {.count = 4, .block_bytes = 16, .granule_bytes = 16, .bytes_per_second = 1e9},
      {.count = 8, .block_bytes = 256, .granule_bytes = 32, .bytes_per_second = 1e9},
      {.count = 3, .block_bytes = 64, .granule_bytes = 32, .bytes_per_second = 1e9},
      {.count = 1, .block_bytes = 1, .granule_bytes = 1, .bytes_per_second = 1e9}};
  std::mt19937 random(1);
  for (const auto& shape : shapes) {
    InterleavedTimeline all(shape);
    std::vector<Timeline> each(shape.count, Timeline(shape.bytes_per_second));
    const uint64_t round = shape.count * shape.block_bytes;
    test::run_thread([&] {
      for (int i = 0; i < 3000; ++i) {
        if (random() % 16 == 0) sc_core::wait(ns(test::below(random, 500)));
        const bool whole = random() % 2 == 0;
        const uint64_t address = whole ? random() % 64 * round : random() % (64 * round);
        const uint64_t bytes = whole ? (1 + random() % 16) * round : 1 + random() % (3 * round);
        const auto arrival = sc_core::sc_time_stamp() + ns(test::below(random, 300));
        std::vector<uint64_t> share(shape.count);
        for (uint64_t at = address / shape.granule_bytes; at <= (address + bytes - 1) / shape.granule_bytes; ++at) {
          share[at * shape.granule_bytes / shape.block_bytes % shape.count] += shape.granule_bytes;
        }
        sc_time end;
        for (size_t k = 0; k < shape.count; ++k) {
          if (share[k] > 0) end = std::max(end, each[k].reserve_bytes(arrival, share[k]).end);
        }
        const auto slot = all.reserve(arrival, address, bytes);
        ASSERT_EQ(slot.end, end) << i;
        ASSERT_EQ(slot.waited, end - arrival - ns(static_cast<double>(*std::max_element(share.begin(), share.end()))))
            << i;
      }
    });
  }
}

}  // namespace
}  // namespace npuvp::base
