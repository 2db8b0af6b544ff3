// SPDX-License-Identifier: Apache-2.0
#include "models/aclint/aclint.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "tests/models/base/test_bus.h"

namespace npuvp::aclint {
namespace {

using sc_core::SC_NS;
using sc_core::sc_time;

constexpr uint64_t kMtimecmp = 0x4000;
constexpr uint64_t kMtime = 0xbff8;

class AclintTest : public testing::Test {
 protected:
  AclintTest() {
    port.socket.bind(aclint.socket);
    for (unsigned hart = 0; hart < Aclint::kHarts; ++hart) {
      aclint.timer_interrupt[hart].connect([this, hart](bool level) {
        timer.push_back({sc_core::sc_time_stamp(), hart, level});
      });
      aclint.software_interrupt[hart].connect([this, hart](bool level) { software[hart] = level; });
    }
    timer.clear();
  }

  template <typename T>
  void write(uint64_t offset, T value) {
    sc_time delay;
    std::array<uint8_t, sizeof(T)> bytes;
    std::memcpy(bytes.data(), &value, sizeof value);
    EXPECT_EQ(port.write(offset, bytes, delay), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(delay, sc_core::SC_ZERO_TIME);
  }
  template <typename T>
  T read(uint64_t offset, sc_time delay = sc_core::SC_ZERO_TIME) {
    std::array<uint8_t, sizeof(T)> bytes{};
    EXPECT_EQ(port.read(offset, bytes, delay), tlm::TLM_OK_RESPONSE);
    T value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  static void run(double ns) { sc_core::sc_start(sc_time(ns, SC_NS)); }

  struct Change {
    sc_time at;
    unsigned hart;
    bool level;
    bool operator==(const Change&) const = default;
  };

  base::Environment environment;
  Aclint aclint{"aclint", environment};
  test::TestInitiator initiator{"initiator"};
  base::InitiatorPort& port = initiator.port;
  std::vector<Change> timer;
  std::array<bool, Aclint::kHarts> software{};
};

TEST_F(AclintTest, MtimeCountsNanoseconds) {
  run(0);
  EXPECT_EQ(read<uint64_t>(kMtime), 0u);
  run(123.9);
  EXPECT_EQ(read<uint64_t>(kMtime), 123u);
  EXPECT_EQ(read<uint64_t>(kMtime, sc_time(7, SC_NS)), 130u) << "an annotated access sees its own time";
  EXPECT_EQ(read<uint32_t>(kMtime), 123u);
  EXPECT_EQ(read<uint32_t>(kMtime + 4), 0u);
}

TEST_F(AclintTest, ComparatorRaisesAtItsExactTime) {
  run(10);
  write<uint64_t>(kMtimecmp + 8, 500);
  write<uint64_t>(kMtimecmp, 300);
  run(1000);
  EXPECT_EQ(timer, (std::vector<Change>{{sc_time(300, SC_NS), 0, true}, {sc_time(500, SC_NS), 1, true}}));
  write<uint64_t>(kMtimecmp, 2000);
  EXPECT_EQ(timer.back(), (Change{sc_time(1010, SC_NS), 0, false})) << "a later comparator withdraws the interrupt";
  run(1000);
  EXPECT_EQ(timer.back(), (Change{sc_time(2000, SC_NS), 0, true}));
}

TEST_F(AclintTest, ComparatorInThePastRaisesAtOnce) {
  run(100);
  write<uint64_t>(kMtimecmp, 100);
  EXPECT_EQ(timer, (std::vector<Change>{{sc_time(100, SC_NS), 0, true}}));
}

TEST_F(AclintTest, NothingIsPendingWithoutAComparator) {
  run(100);
  EXPECT_FALSE(sc_core::sc_pending_activity());
  write<uint64_t>(kMtimecmp, ~0ull - 1);  // centuries away
  EXPECT_FALSE(sc_core::sc_pending_activity());
}

TEST_F(AclintTest, MtimeCanBeSet) {
  write<uint64_t>(kMtimecmp, 5000);
  run(100);
  write<uint64_t>(kMtime, 4990);
  run(100);
  EXPECT_EQ(timer, (std::vector<Change>{{sc_time(110, SC_NS), 0, true}}));
  EXPECT_EQ(read<uint64_t>(kMtime), 5090u);
}

TEST_F(AclintTest, FractionsOfATickAreKept) {
  run(0.5);
  write<uint64_t>(kMtimecmp, 3);
  run(10);
  EXPECT_EQ(timer.front().at, sc_time(3, SC_NS));
}

TEST_F(AclintTest, SoftwareInterruptFollowsItsBit) {
  write<uint32_t>(8, 1);
  EXPECT_TRUE(software[2]);
  EXPECT_FALSE(software[0]);
  write<uint32_t>(8, 0);
  EXPECT_FALSE(software[2]);
  write<uint32_t>(8, 0xfffffffe);
  EXPECT_EQ(read<uint32_t>(8), 0u);
  EXPECT_EQ(environment.diagnostics().misuse_count(), 1u) << "undefined bits";
}

TEST_F(AclintTest, ResetStartsTimeAgain) {
  write<uint64_t>(kMtimecmp, 50);
  write<uint32_t>(0, 1);
  run(100);
  aclint.reset();
  EXPECT_FALSE(software[0]);
  EXPECT_FALSE(aclint.timer_interrupt[0].level());
  EXPECT_EQ(read<uint64_t>(kMtime), 0u);
  EXPECT_EQ(read<uint64_t>(kMtimecmp), ~0ull);
  run(5);
  EXPECT_EQ(aclint.mtime_at(sc_core::sc_time_stamp()), 5u);
}

}  // namespace
}  // namespace npuvp::aclint
