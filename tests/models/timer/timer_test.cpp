// SPDX-License-Identifier: Apache-2.0
#include "models/timer/timer.h"

#include <gtest/gtest.h>

#include "npu/registers/timer.h"
#include "tests/models/base/test_bus.h"

namespace npuvp::timer {
namespace {

using sc_core::SC_NS;
using sc_core::sc_start;

constexpr uint32_t kOneShot = TIMER_CONTROL_ENABLE_MASK | TIMER_CONTROL_IRQ_ENABLE_MASK;
constexpr uint32_t kPeriodic = kOneShot | TIMER_CONTROL_PERIODIC_MASK;

class TimerTest : public testing::Test {
 protected:
  TimerTest() {
    environment.set_log_level("all", spdlog::level::off);
    hart.port.socket.bind(timer.registers);
    sc_start(sc_core::SC_ZERO_TIME);
  }
  void start(unsigned index, uint32_t load, uint32_t prescale, uint32_t control) {
    hart.write(TIMER_LOAD(index), load);
    hart.write(TIMER_PRESCALE(index), prescale);
    hart.write(TIMER_CONTROL(index), control);
  }
  uint32_t expired() { return hart.read<uint32_t>(TIMER_EXPIRED); }
  void pass_ns(double ns) {
    sc_start(ns, SC_NS);
    if (sc_core::sc_pending_activity_at_current_time()) sc_start(sc_core::SC_ZERO_TIME);
  }

  base::Environment environment;
  Timer timer{"timer", environment, {.clock_period = sc_core::sc_time(2, SC_NS)}};
  test::TestInitiator hart{"hart"};
};

TEST_F(TimerTest, OneShotExpiresOnceAndStops) {
  start(0, 100, 0, kOneShot);
  pass_ns(199);
  EXPECT_FALSE(timer.interrupt.level());
  EXPECT_EQ(hart.read<uint32_t>(TIMER_COUNT(0)), 1U);
  pass_ns(1);
  EXPECT_TRUE(timer.interrupt.level());
  EXPECT_EQ(expired(), 1U);
  EXPECT_EQ(hart.read<uint32_t>(TIMER_CONTROL(0)), uint32_t{TIMER_CONTROL_IRQ_ENABLE_MASK});
  hart.write(TIMER_EXPIRED, uint32_t{1});
  EXPECT_FALSE(timer.interrupt.level());
  EXPECT_FALSE(sc_core::sc_pending_activity());
}

TEST_F(TimerTest, ThePrescalerDividesTheClock) {
  start(1, 10, 4, kOneShot);  // 10 counts of 5 cycles of 2 ns
  pass_ns(50);
  EXPECT_EQ(hart.read<uint32_t>(TIMER_COUNT(1)), 5U);
  pass_ns(49);
  EXPECT_FALSE(timer.interrupt.level());
  pass_ns(1);
  EXPECT_TRUE(timer.interrupt.level());
  EXPECT_EQ(expired(), 2U);
}

TEST_F(TimerTest, PeriodicKeepsItsPhaseHoweverLateItIsAcknowledged) {
  start(2, 50, 0, kPeriodic);  // every 100 ns
  pass_ns(130);
  EXPECT_EQ(expired(), 4U);
  hart.write(TIMER_EXPIRED, uint32_t{4});
  pass_ns(69);
  EXPECT_FALSE(timer.interrupt.level());
  pass_ns(1);
  EXPECT_TRUE(timer.interrupt.level()) << "at 200 ns";
}

TEST_F(TimerTest, AnInterruptThatNobodyTakesCostsNoEvents) {
  start(2, 50, 0, kPeriodic);
  pass_ns(100);
  EXPECT_TRUE(timer.interrupt.level());
  EXPECT_FALSE(sc_core::sc_pending_activity());
  pass_ns(1030);
  EXPECT_EQ(hart.read<uint32_t>(TIMER_COUNT(2)), 35U) << "30 ns, 15 counts, into a period";
}

TEST_F(TimerTest, WithoutInterruptItIsSeenAtTheAccess) {
  start(3, 5, 0, TIMER_CONTROL_ENABLE_MASK);
  EXPECT_FALSE(sc_core::sc_pending_activity());
  pass_ns(9);
  EXPECT_EQ(expired(), 0U);
  pass_ns(1);
  EXPECT_EQ(expired(), 8U);
  EXPECT_FALSE(timer.interrupt.level());
}

TEST_F(TimerTest, ANewLoadIsTakenAtTheNextPeriod) {
  start(0, 10, 0, kPeriodic);
  pass_ns(4);
  hart.write(TIMER_LOAD(0), uint32_t{100});
  EXPECT_EQ(hart.read<uint32_t>(TIMER_COUNT(0)), 8U);
  pass_ns(16);
  EXPECT_EQ(hart.read<uint32_t>(TIMER_COUNT(0)), 100U);
}

TEST_F(TimerTest, TimersDoNotDisturbEachOther) {
  start(0, 10, 0, kOneShot);
  start(1, 20, 0, kOneShot);
  start(2, 0, 0, kOneShot);  // counts as 1
  pass_ns(2);
  EXPECT_EQ(expired(), 4U);
  pass_ns(18);
  EXPECT_EQ(expired(), 5U);
  hart.write(TIMER_EXPIRED, uint32_t{5});
  EXPECT_FALSE(timer.interrupt.level());
  pass_ns(20);
  EXPECT_EQ(expired(), 2U);
}

TEST_F(TimerTest, ResetStopsEverything) {
  start(0, 10, 0, kPeriodic);
  pass_ns(20);
  timer.reset();
  EXPECT_FALSE(timer.interrupt.level());
  pass_ns(100);
  EXPECT_EQ(expired(), 0U);
}

}  // namespace
}  // namespace npuvp::timer
