// SPDX-License-Identifier: Apache-2.0
#include "models/sensors/sensors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "npu/registers/sensors.h"
#include "tests/models/base/test_bus.h"

namespace npuvp::sensors {
namespace {

using base::Rail;
using sc_core::SC_MS;
using sc_core::SC_SEC;
using sc_core::sc_start;
using sc_core::sc_time;
using sc_core::sc_time_stamp;

constexpr uint32_t kAbove = SENSORS_ALARM_ENABLE_MASK;
constexpr uint32_t kBelow = SENSORS_ALARM_ENABLE_MASK | SENSORS_ALARM_BELOW_MASK;

class SensorsTest : public testing::Test {
 protected:
  SensorsTest() {
    environment.set_log_level("all", spdlog::level::off);
    hart.port.socket.bind(sensors.registers);
    sensors.on_trip([this] {
      ++trips;
      tripped_at = sc_time_stamp();
    });
    sc_start(sc_core::SC_ZERO_TIME);
  }
  double celsius() { return static_cast<int32_t>(hart.read<uint32_t>(SENSORS_TEMPERATURE)) / 1000.0; }
  void set_alarm(unsigned alarm, double threshold, uint32_t control) {
    hart.write(SENSORS_THRESHOLD(alarm), static_cast<uint32_t>(static_cast<int32_t>(threshold * 1000)));
    hart.write(SENSORS_ALARM(alarm), control);
  }
  uint32_t alarms() { return hart.read<uint32_t>(SENSORS_ALARMS); }
  /// Temperature after `seconds` of `watts` from cold, by the formula of the network.
  static double analytic(double seconds, double watts) {
    return 30 + 0.1 * watts * (1 - std::exp(-seconds / 0.02)) + 0.4 * watts * (1 - std::exp(-seconds / 30));
  }

  base::Environment environment;
  base::PowerMeter meter;
  Sensors sensors{"sensors",
                  environment,
                  meter,
                  {.thermal = {.ambient_celsius = 30, .die = {0.1, 0.02}, .sink = {0.4, 30}},
                   .trip_celsius = 125,
                   .rails = {{{0.8, 0.0005}, {0.9, 0.001}, {1.35, 0.002}, {1.8, 0.005}}}}};
  test::TestInitiator hart{"hart"};
  int trips = 0;
  sc_time tripped_at;
};

TEST_F(SensorsTest, ColdAndIdleItShowsTheAmbientAndSchedulesNothing) {
  EXPECT_DOUBLE_EQ(celsius(), 30);
  EXPECT_EQ(hart.read<uint32_t>(SENSORS_POWER_MW(0)), 0U);
  EXPECT_EQ(hart.read<uint32_t>(SENSORS_VOLTAGE_MV(0)), 800U);
  EXPECT_EQ(hart.read<uint32_t>(SENSORS_TRIP), 125000U);
  EXPECT_FALSE(sc_core::sc_pending_activity());
}

TEST_F(SensorsTest, TemperatureFollowsTheAnalyticSolutionAtAnyTime) {
  meter.set_baseline(Rail::kNeural, 60);
  meter.set_baseline(Rail::kDram, 25);
  double seconds = 0;
  for (const double step : {0.00123, 0.017, 0.1, 2.5, 40.0, 500.0}) {
    sc_start(step, SC_SEC);
    seconds += step;
    EXPECT_NEAR(celsius(), analytic(seconds, 85), 0.001) << seconds;
  }
}

TEST_F(SensorsTest, WorkHeatsAsItsPower) {
  // 50 W in bursts of 10 us every 20 us: 25 W.
  for (int i = 0; i < 5000; ++i) {
    const sc_time begin(i * 20.0, sc_core::SC_US);
    meter.spend(Rail::kNeural, 50 * 10e-6, begin, begin + sc_time(10, sc_core::SC_US));
  }
  sc_start(100, SC_MS);
  EXPECT_NEAR(celsius(), analytic(0.1, 25), 0.005);
  EXPECT_NEAR(hart.read<uint32_t>(SENSORS_POWER_MW(0)), 25000, 10);
  EXPECT_EQ(hart.read<uint64_t>(SENSORS_ENERGY_UJ(0)), 2500000U);
  EXPECT_EQ(hart.read<uint64_t>(SENSORS_ENERGY_UJ(1)), 0U);
  EXPECT_NEAR(hart.read<uint32_t>(SENSORS_VOLTAGE_MV(0)), 800 - 25 / 0.8 * 0.5, 1);
}

TEST_F(SensorsTest, PowerPassesALowPassOfAMillisecond) {
  meter.set_baseline(Rail::kPcie, 10);
  sc_start(1, SC_MS);
  EXPECT_NEAR(hart.read<uint32_t>(SENSORS_POWER_MW(3)), 10000 * (1 - std::exp(-1)), 1);
}

TEST_F(SensorsTest, AlarmComesWithinAMicrosecondOfTheCrossing) {
  set_alarm(0, 60, kAbove);
  hart.write(SENSORS_IRQ_ENABLE, uint32_t{1});
  meter.set_baseline(Rail::kNeural, 100);
  std::optional<sc_time> at;
  sensors.interrupt.connect([&](bool level) {
    if (level) at = sc_time_stamp();
  });
  sc_start(60, SC_SEC);
  ASSERT_TRUE(at);
  EXPECT_GE(analytic(at->to_seconds(), 100), 60);
  EXPECT_LT(analytic(at->to_seconds() - 1e-6, 100), 60);
  EXPECT_EQ(alarms(), 1U);
  hart.write(SENSORS_ALARMS, uint32_t{1});
  EXPECT_FALSE(sensors.interrupt.level()) << "met still, but not anew";
  EXPECT_FALSE(sc_core::sc_pending_activity()) << "100 W stay above for ever";
}

TEST_F(SensorsTest, AnAlarmComesAgainAfterTheConditionWasLeft) {
  set_alarm(0, 35, kAbove);
  set_alarm(1, 32, kBelow);
  EXPECT_EQ(alarms(), 2U) << "30 C is below already when the alarm is enabled";
  hart.write(SENSORS_ALARMS, uint32_t{3});
  for (int i = 0; i < 2; ++i) {
    meter.set_baseline(Rail::kNeural, 100);
    sc_start(50, SC_MS);
    EXPECT_EQ(alarms(), 1U);
    hart.write(SENSORS_ALARMS, uint32_t{1});
    meter.set_baseline(Rail::kNeural, 0);
    sc_start(50, SC_MS);
    EXPECT_EQ(alarms(), 2U);
    hart.write(SENSORS_ALARMS, uint32_t{2});
  }
}

TEST_F(SensorsTest, AnnouncedWorkIsForecast) {
  set_alarm(0, 38, kAbove);
  meter.spend(Rail::kNeural, 100 * 0.2, sc_time(100, SC_MS), sc_time(300, SC_MS));  // 100 W from 100 ms on
  sc_start(100, SC_MS);
  EXPECT_EQ(alarms(), 0U);
  sc_start(30, SC_MS);
  EXPECT_EQ(alarms(), 0U) << "30 ms: 7.8 K from the die, 0.04 K from the sink";
  sc_start(10, SC_MS);
  EXPECT_EQ(alarms(), 1U) << "40 ms: 8.6 K";
}

TEST_F(SensorsTest, DisabledAlarmsStaySilent) {
  set_alarm(0, 35, 0);
  meter.set_baseline(Rail::kNeural, 100);
  sc_start(1, SC_SEC);
  EXPECT_EQ(alarms(), 0U);
}

TEST_F(SensorsTest, TripsOnceInHardware) {
  meter.set_baseline(Rail::kNeural, 300);
  sc_start(100, SC_SEC);
  EXPECT_EQ(trips, 1);
  EXPECT_NEAR(analytic(tripped_at.to_seconds(), 300), 125, 0.001);
  sensors.reset();
  EXPECT_EQ(trips, 1) << "still hot: the same trip";
}

TEST_F(SensorsTest, AmbientWarmsTheSinkSlowly) {
  sensors.set_ambient(60);
  EXPECT_NEAR(celsius(), 30, 0.001);
  sc_start(30, SC_SEC);
  EXPECT_NEAR(celsius(), 60 - 30 * std::exp(-1), 0.001);
  EXPECT_EQ(hart.read<uint32_t>(SENSORS_AMBIENT), 60000U);
}

TEST_F(SensorsTest, PeakIsKeptUntilItIsWritten) {
  meter.set_baseline(Rail::kNeural, 100);
  sc_start(100, SC_MS);
  const double hot = celsius();
  meter.set_baseline(Rail::kNeural, 0);
  sc_start(200, SC_MS);
  EXPECT_NEAR(hart.read<uint32_t>(SENSORS_PEAK) / 1000.0, hot, 0.001);
  hart.write(SENSORS_PEAK, uint32_t{0});
  EXPECT_LT(hart.read<uint32_t>(SENSORS_PEAK) / 1000.0, hot - 5);
}

TEST_F(SensorsTest, NegativeTemperaturesAreSigned) {
  sensors.set_ambient(-20);
  sc_start(1000, SC_SEC);
  EXPECT_NEAR(celsius(), -20, 0.001);
  set_alarm(0, -10, kBelow);
  EXPECT_EQ(alarms(), 1U);
}

}  // namespace
}  // namespace npuvp::sensors
