// SPDX-License-Identifier: Apache-2.0
// Claims of the RISC-V PLIC specification 1.0.
#include "models/plic/plic.h"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/models/base/test_bus.h"

namespace npuvp::plic {
namespace {

constexpr uint64_t kPending = 0x1000;
constexpr uint64_t priority(unsigned source) {
  return 4 * source;
}
constexpr uint64_t enable(unsigned context) {
  return 0x2000 + 0x80 * context;
}
constexpr uint64_t threshold(unsigned context) {
  return 0x200000 + 0x1000 * context;
}
constexpr uint64_t claim(unsigned context) {
  return 0x200004 + 0x1000 * context;
}

class PlicTest : public testing::Test {
 protected:
  PlicTest() { port.socket.bind(plic.socket); }

  void write(uint64_t offset, uint32_t value) {
    sc_core::sc_time delay;
    std::array<uint8_t, 4> bytes;
    std::memcpy(bytes.data(), &value, sizeof value);
    EXPECT_EQ(port.write(offset, bytes, delay), tlm::TLM_OK_RESPONSE);
  }
  uint32_t read(uint64_t offset) {
    sc_core::sc_time delay;
    std::array<uint8_t, 4> bytes{};
    EXPECT_EQ(port.read(offset, bytes, delay), tlm::TLM_OK_RESPONSE);
    uint32_t value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  void set(unsigned source, bool level) { plic.source_input(source)(level); }
  [[nodiscard]] bool output(unsigned context = 0) const { return plic.external_interrupt[context].level(); }

  base::Environment environment;
  Plic plic{"plic", environment};
  test::TestInitiator initiator{"initiator"};
  base::InitiatorPort& port = initiator.port;
};

TEST_F(PlicTest, DeliversOnlyWhatIsEnabledAndAboveTheThreshold) {
  set(5, true);
  EXPECT_EQ(read(kPending), 1u << 5);
  EXPECT_FALSE(output());
  write(enable(0), 1 << 5);
  EXPECT_FALSE(output()) << "priority 0 is never delivered";
  EXPECT_EQ(read(claim(0)), 0u);
  write(priority(5), 2);
  EXPECT_TRUE(output());
  EXPECT_FALSE(output(1));
  write(threshold(0), 2);
  EXPECT_FALSE(output()) << "the priority must exceed the threshold";
  write(threshold(0), 1);
  EXPECT_TRUE(output());
}

TEST_F(PlicTest, ClaimsByPriorityThenByNumber) {
  write(enable(0), 0xfffffffe);
  for (const unsigned source : {3u, 7u, 9u}) set(source, true);
  write(priority(3), 1);
  write(priority(7), 4);
  write(priority(9), 4);
  EXPECT_EQ(read(claim(0)), 7u);
  EXPECT_EQ(read(claim(0)), 9u);
  EXPECT_EQ(read(claim(0)), 3u);
  EXPECT_EQ(read(claim(0)), 0u);
  EXPECT_FALSE(output());
}

TEST_F(PlicTest, ClaimIgnoresTheThreshold) {
  write(enable(0), 1 << 4);
  write(priority(4), 1);
  write(threshold(0), 7);
  set(4, true);
  EXPECT_FALSE(output());
  EXPECT_EQ(read(claim(0)), 4u);
}

TEST_F(PlicTest, GatewayHoldsTheNextRequestUntilCompletion) {
  write(enable(0), 1 << 4);
  write(priority(4), 1);
  set(4, true);
  EXPECT_EQ(read(claim(0)), 4u);
  EXPECT_FALSE(output());
  set(4, false);
  set(4, true);
  EXPECT_EQ(read(kPending), 0u) << "still in service";
  write(claim(0), 4);
  EXPECT_TRUE(output()) << "the line is still high";
  EXPECT_EQ(read(claim(0)), 4u);
  set(4, false);
  write(claim(0), 4);
  EXPECT_FALSE(output());
  EXPECT_EQ(read(kPending), 0u);
}

TEST_F(PlicTest, RequestStaysPendingWhenTheLineFalls) {
  write(enable(0), 1 << 4);
  write(priority(4), 1);
  set(4, true);
  set(4, false);
  EXPECT_TRUE(output());
  EXPECT_EQ(read(claim(0)), 4u);
}

TEST_F(PlicTest, OneContextsClaimTakesItFromAllOthers) {
  write(enable(0), 1 << 6);
  write(enable(2), 1 << 6);
  write(priority(6), 3);
  set(6, true);
  EXPECT_TRUE(output(0));
  EXPECT_TRUE(output(2));
  EXPECT_EQ(read(claim(2)), 6u);
  EXPECT_FALSE(output(0));
  EXPECT_EQ(read(claim(0)), 0u);
}

TEST_F(PlicTest, CompletionOfASourceThatIsNotEnabledIsIgnored) {
  write(enable(0), 1 << 6);
  write(priority(6), 3);
  set(6, true);
  EXPECT_EQ(read(claim(0)), 6u);
  write(claim(1), 6);
  EXPECT_EQ(read(kPending), 0u);
  write(claim(0), 0xffffffff);
  write(claim(0), 0);
  EXPECT_EQ(read(kPending), 0u);
  write(claim(0), 6);
  EXPECT_EQ(read(kPending), 1u << 6);
}

TEST_F(PlicTest, SourceZeroDoesNotExist) {
  write(enable(0), 0xffffffff);
  EXPECT_EQ(read(enable(0)), 0xfffffffeu);
  write(priority(0), 7);
  EXPECT_EQ(read(priority(0)), 0u);
  EXPECT_THROW((void)plic.source_input(0), std::out_of_range);
  EXPECT_THROW((void)plic.source_input(32), std::out_of_range);
}

TEST_F(PlicTest, DebuggersReadDoesNotClaim) {
  write(enable(0), 1 << 4);
  write(priority(4), 1);
  set(4, true);
  std::array<uint8_t, 4> bytes{};
  port.debug_read(claim(0), bytes);
  EXPECT_TRUE(output());
}

TEST_F(PlicTest, ResetForgetsServiceAndSeesTheLines) {
  write(enable(0), 1 << 4);
  write(priority(4), 1);
  set(4, true);
  read(claim(0));
  plic.reset();
  EXPECT_FALSE(output());
  EXPECT_EQ(read(enable(0)), 0u);
  EXPECT_EQ(read(kPending), 1u << 4);
}

}  // namespace
}  // namespace npuvp::plic
