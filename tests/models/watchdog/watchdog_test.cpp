// SPDX-License-Identifier: Apache-2.0
#include "models/watchdog/watchdog.h"

#include <gtest/gtest.h>

#include "npu/registers/watchdog.h"
#include "tests/models/base/test_bus.h"

namespace npuvp::watchdog {
namespace {

using sc_core::sc_start;
using sc_core::sc_time;
using sc_core::sc_time_stamp;
using sc_core::SC_US;

class WatchdogTest : public testing::Test {
 protected:
  WatchdogTest() {
    environment.set_log_level("all", spdlog::level::off);
    hart.port.socket.bind(watchdog.registers);
    watchdog.on_expiry([this] {
      ++resets;
      reset_at = sc_time_stamp();
      watchdog.reset(false);
    });
    sc_start(sc_core::SC_ZERO_TIME);
  }
  void configure(uint32_t timeout_us, uint32_t early_us, uint32_t control = WATCHDOG_CONTROL_ENABLE_MASK) {
    hart.write(WATCHDOG_TIMEOUT_US, timeout_us);
    hart.write(WATCHDOG_EARLY_US, early_us);
    hart.write(WATCHDOG_CONTROL, control);
  }
  void kick() { hart.write(WATCHDOG_KICK, uint32_t{0x4b49434b}); }
  void pass_us(double us) {
    sc_start(us, SC_US);
    if (sc_core::sc_pending_activity_at_current_time()) sc_start(sc_core::SC_ZERO_TIME);
  }

  base::Environment environment;
  Watchdog watchdog{"watchdog", environment};
  test::TestInitiator hart{"hart"};
  int resets = 0;
  sc_time reset_at;
};

TEST_F(WatchdogTest, IsOffAfterResetAndSchedulesNothing) {
  EXPECT_EQ(hart.read<uint32_t>(WATCHDOG_CONTROL), 0U);
  EXPECT_FALSE(sc_core::sc_pending_activity());
}

TEST_F(WatchdogTest, InterruptsEarlyThenResetsExactlyAtTheTimeout) {
  pass_us(3);
  configure(100, 60);
  pass_us(59);
  EXPECT_FALSE(watchdog.early.level());
  pass_us(1);
  EXPECT_TRUE(watchdog.early.level());
  EXPECT_EQ(hart.read<uint32_t>(WATCHDOG_ELAPSED_US), 60U);
  pass_us(100);
  EXPECT_EQ(resets, 1);
  EXPECT_EQ(reset_at, sc_time(103, SC_US));
  EXPECT_EQ(hart.read<uint32_t>(WATCHDOG_RESETS), 1U | WATCHDOG_RESETS_LAST_TIMEOUT << WATCHDOG_RESETS_LAST_SHIFT);
  EXPECT_FALSE(watchdog.early.level());
  EXPECT_FALSE(sc_core::sc_pending_activity()) << "off after the reset";
}

TEST_F(WatchdogTest, AKickStartsTheTimeAgainAndTakesTheInterruptAway) {
  configure(100, 60);
  pass_us(80);
  EXPECT_TRUE(watchdog.early.level());
  kick();
  EXPECT_FALSE(watchdog.early.level());
  pass_us(59);
  EXPECT_FALSE(watchdog.early.level());
  pass_us(1);
  EXPECT_TRUE(watchdog.early.level());
  EXPECT_EQ(resets, 0);
}

TEST_F(WatchdogTest, AcknowledgingTheInterruptIsNoKick) {
  configure(100, 60);
  pass_us(60);
  hart.write(WATCHDOG_STATUS, uint32_t{WATCHDOG_STATUS_EARLY_MASK});
  EXPECT_FALSE(watchdog.early.level());
  pass_us(40);
  EXPECT_EQ(resets, 1);
}

TEST_F(WatchdogTest, AWrongKeyIsNoKick) {
  configure(100, 0);
  pass_us(90);
  hart.write(WATCHDOG_KICK, uint32_t{1});
  EXPECT_EQ(environment.diagnostics().misuse_count(), 1U);
  pass_us(10);
  EXPECT_EQ(resets, 1);
}

TEST_F(WatchdogTest, WithAWindowAKickTooSoonResetsAtOnce) {
  hart.write(WATCHDOG_WINDOW_US, uint32_t{20});
  configure(100, 0, WATCHDOG_CONTROL_ENABLE_MASK | WATCHDOG_CONTROL_WINDOW_MASK);
  pass_us(20);
  kick();
  EXPECT_EQ(resets, 0);
  pass_us(19);
  kick();
  EXPECT_EQ(resets, 1);
  EXPECT_EQ(hart.read<uint32_t>(WATCHDOG_RESETS), 1U | WATCHDOG_RESETS_LAST_WINDOW << WATCHDOG_RESETS_LAST_SHIFT);
}

TEST_F(WatchdogTest, AsleepTheTimeStandsStillUntilTheNextKick) {
  configure(100, 60);
  hart.write(WATCHDOG_LOCK, uint32_t{WATCHDOG_LOCK_LOCKED_MASK});
  pass_us(50);
  hart.write(WATCHDOG_KICK, uint32_t{0x534c4550});
  EXPECT_FALSE(sc_core::sc_pending_activity());
  pass_us(10000);
  EXPECT_EQ(hart.read<uint32_t>(WATCHDOG_ELAPSED_US), 0U);
  kick();
  pass_us(99);
  EXPECT_EQ(resets, 0);
  pass_us(1);
  EXPECT_EQ(resets, 1);
}

TEST_F(WatchdogTest, ADebuggerStopsTheTime) {
  configure(100, 60);
  pass_us(40);
  watchdog.set_frozen(true);
  EXPECT_FALSE(sc_core::sc_pending_activity());
  pass_us(5000);
  EXPECT_EQ(hart.read<uint32_t>(WATCHDOG_ELAPSED_US), 40U);
  watchdog.set_frozen(false);
  pass_us(59);
  EXPECT_EQ(resets, 0);
  pass_us(1);
  EXPECT_EQ(resets, 1);
}

TEST_F(WatchdogTest, LockedItCanOnlyBeKicked) {
  configure(100, 60);
  hart.write(WATCHDOG_LOCK, uint32_t{WATCHDOG_LOCK_LOCKED_MASK});
  hart.write(WATCHDOG_CONTROL, uint32_t{0});
  hart.write(WATCHDOG_TIMEOUT_US, uint32_t{1000000});
  EXPECT_EQ(environment.diagnostics().misuse_count(), 2U);
  EXPECT_EQ(hart.read<uint32_t>(WATCHDOG_TIMEOUT_US), 100U);
  hart.write(WATCHDOG_LOCK, uint32_t{0});
  EXPECT_EQ(hart.read<uint32_t>(WATCHDOG_LOCK), 1U);
  pass_us(100);
  EXPECT_EQ(resets, 1);
  EXPECT_EQ(hart.read<uint32_t>(WATCHDOG_LOCK), 0U) << "the card's reset unlocks it";
}

TEST_F(WatchdogTest, SwitchedOffItForgets) {
  configure(100, 60);
  pass_us(50);
  hart.write(WATCHDOG_CONTROL, uint32_t{0});
  pass_us(1000);
  EXPECT_EQ(resets, 0);
  EXPECT_EQ(hart.read<uint32_t>(WATCHDOG_ELAPSED_US), 0U);
  EXPECT_FALSE(sc_core::sc_pending_activity());
}

TEST_F(WatchdogTest, OnlyPowerOnClearsTheCount) {
  configure(10, 0);
  pass_us(10);
  watchdog.reset(false);
  EXPECT_NE(hart.read<uint32_t>(WATCHDOG_RESETS), 0U);
  watchdog.reset(true);
  EXPECT_EQ(hart.read<uint32_t>(WATCHDOG_RESETS), 0U);
}

}  // namespace
}  // namespace npuvp::watchdog
