// SPDX-License-Identifier: Apache-2.0
// Expected energies are hand calculations: power times time, with everything spread over bins of 100 us.
#include "models/base/power_meter.h"

#include <gtest/gtest.h>

#include <vector>

namespace npuvp::base {
namespace {

using sc_core::SC_MS;
using sc_core::sc_start;
using sc_core::sc_time;
using sc_core::SC_US;

constexpr auto kNeural = Rail::kNeural;
constexpr size_t kNeuralIndex = 0;

TEST(PowerMeter, BaselineIsPowerTimesTime) {
  PowerMeter meter;
  meter.set_baseline(kNeural, 4);
  sc_start(10, SC_MS);
  EXPECT_NEAR(meter.joules(kNeural), 0.04, 1e-12);
  EXPECT_NEAR(meter.joules(Rail::kDram), 0, 1e-12);
  EXPECT_NEAR(meter.watts()[kNeuralIndex], 4, 1e-9);
}

TEST(PowerMeter, ANewBaselineCountsFromTheMomentItIsSet) {
  PowerMeter meter;
  meter.set_baseline(kNeural, 2);
  sc_start(1030, SC_US);
  meter.set_baseline(kNeural, 10);
  sc_start(970, SC_US);
  EXPECT_NEAR(meter.joules(kNeural), 2 * 1.03e-3 + 10 * 0.97e-3, 1e-12);
}

TEST(PowerMeter, SpreadsAnOperationOverItsInterval) {
  PowerMeter meter;
  meter.spend(kNeural, 1.0, sc_time(250, SC_US), sc_time(1250, SC_US));  // 1 kW
  EXPECT_NEAR(meter.joules(kNeural, sc_time(200, SC_US)), 0, 1e-12);
  EXPECT_NEAR(meter.joules(kNeural, sc_time(300, SC_US)), 0.05, 1e-12);
  EXPECT_NEAR(meter.joules(kNeural, sc_time(800, SC_US)), 0.55, 1e-12);
  EXPECT_NEAR(meter.joules(kNeural, sc_time(1200, SC_US)), 0.95, 1e-12);
  EXPECT_NEAR(meter.joules(kNeural, sc_time(5000, SC_US)), 1.0, 1e-12);
  sc_start(5, SC_MS);
  EXPECT_NEAR(meter.joules(kNeural), 1.0, 1e-12);
}

TEST(PowerMeter, OperationsAddUpAcrossRailsAndBins) {
  PowerMeter meter;
  for (int i = 0; i < 1000; ++i) {
    const sc_time begin(i * 7.0, SC_US);
    meter.spend(kNeural, 1e-3, begin, begin + sc_time(13, SC_US));
    meter.spend(Rail::kPcie, 2e-3, begin, begin);
  }
  sc_start(20, SC_MS);
  EXPECT_NEAR(meter.joules(kNeural), 1.0, 1e-9);
  EXPECT_NEAR(meter.joules(Rail::kPcie), 2.0, 1e-9);
  EXPECT_NEAR(meter.watts()[kNeuralIndex], 0, 1e-6) << "nothing is left over when all work is done";
}

TEST(PowerMeter, WhatIsReportedLateCountsNow) {
  PowerMeter meter;
  sc_start(1, SC_MS);
  meter.spend(kNeural, 3, sc_time(100, SC_US), sc_time(200, SC_US));
  EXPECT_NEAR(meter.joules(kNeural, sc_time(1100, SC_US)), 3, 1e-12);
}

struct Recorder final : PowerMeter::Observer {
  void elapsed(sc_time begin, sc_time end, const RailValues& watts) override {
    EXPECT_EQ(begin, last);
    EXPECT_GT(end, begin);
    last = end;
    joules += watts[kNeuralIndex] * (end - begin).to_seconds();
  }
  void forecast_changed() override { ++changes; }
  sc_time last;
  double joules = 0;
  int changes = 0;
};

TEST(PowerMeter, TellsItsObserverOfEveryIntervalOnceAndOfActivityOnceABin) {
  PowerMeter meter;
  Recorder recorder;
  meter.observe(&recorder);
  for (int i = 0; i < 100; ++i) meter.spend(kNeural, 0.01, sc_time(i, SC_US), sc_time(i + 1, SC_US));
  EXPECT_EQ(recorder.changes, 1);
  for (int i = 0; i < 100; ++i) meter.spend(kNeural, 0.01, sc_time(100 + i, SC_US), sc_time(101 + i, SC_US));
  EXPECT_EQ(recorder.changes, 2);
  sc_start(1, SC_MS);
  EXPECT_NEAR(meter.joules(kNeural), 2.0, 1e-9);
  EXPECT_NEAR(recorder.joules, 2.0, 1e-9);
  EXPECT_EQ(recorder.last, sc_time(1, SC_MS));
  EXPECT_FALSE(sc_core::sc_pending_activity()) << "the meter schedules nothing";
}

TEST(PowerMeter, ForecastsWhatIsAnnouncedAndThenTheBaseline) {
  PowerMeter meter;
  meter.set_baseline(kNeural, 5);
  meter.spend(kNeural, 1e-3, sc_time(200, SC_US), sc_time(400, SC_US));
  std::vector<std::pair<sc_time, double>> pieces;
  meter.forecast([&](sc_time begin, sc_time, const RailValues& watts) {
    pieces.emplace_back(begin, watts[kNeuralIndex]);
    return true;
  });
  ASSERT_GE(pieces.size(), 3u);
  EXPECT_NEAR(pieces.front().second, 5, 1e-9);
  EXPECT_EQ(pieces.back().first, sc_time(400, SC_US));
  EXPECT_NEAR(pieces.back().second, 5, 1e-9);
  EXPECT_EQ(pieces[pieces.size() - 2].first, sc_time(300, SC_US));
  EXPECT_NEAR(pieces[pieces.size() - 2].second, 10, 1e-9);
}

TEST(PowerTap, SwallowsEnergyUntilItIsConnected) {
  PowerMeter meter;
  PowerTap tap;
  tap.spend(1, {}, {});
  tap.connect(meter, Rail::kDram);
  tap.spend(2, {}, {});
  EXPECT_NEAR(meter.joules(Rail::kDram, sc_time(100, SC_US)), 2, 1e-12);
}

TEST(EnergyCounter, EnergyIsUnitsTimesPriceInTheBinOfTheWork) {
  PowerMeter meter;
  EnergyCounter bytes;
  bytes.count(7, sc_time(1, SC_US));
  bytes.connect(meter, Rail::kDram, 2e-3);
  bytes.count(100, sc_time(10, SC_US));
  bytes.count(50, sc_time(350, SC_US));  // ahead of the kernel
  bytes.count(100, sc_time(99, SC_US));
  EXPECT_EQ(bytes.units(), 257U) << "before it was connected too";
  EXPECT_NEAR(meter.joules(Rail::kDram, sc_time(50, SC_US)), 0.2, 1e-12) << "evenly over the bin";
  EXPECT_NEAR(meter.joules(Rail::kDram, sc_time(100, SC_US)), 0.4, 1e-12);
  EXPECT_NEAR(meter.joules(Rail::kDram, sc_time(300, SC_US)), 0.4, 1e-12);
  EXPECT_NEAR(meter.joules(Rail::kDram, sc_time(400, SC_US)), 0.5, 1e-12);
  sc_start(1, SC_MS);
  EXPECT_NEAR(meter.joules(Rail::kDram), 0.5, 1e-12);
  bytes.count(10, sc_time(20, SC_US));  // late: counts now
  EXPECT_NEAR(meter.joules(Rail::kDram, sc_time(1100, SC_US)), 0.52, 1e-12);
  EXPECT_NEAR(meter.joules(kNeural), 0, 1e-12);
}

TEST(EnergyCounter, TheObserverHearsOnceABinAndMissesNothing) {
  PowerMeter meter;
  EnergyCounter first;
  EnergyCounter second;
  first.connect(meter, kNeural, 1e-3);
  second.connect(meter, kNeural, 1e-3);
  Recorder recorder;
  meter.observe(&recorder);
  for (int i = 0; i < 100; ++i) {
    first.count(1, sc_core::sc_time_stamp());
    second.count(2, sc_core::sc_time_stamp());
    sc_start(10, SC_US);
  }
  EXPECT_EQ(recorder.changes, 10);
  sc_start(1, SC_MS);
  EXPECT_NEAR(meter.joules(kNeural), 0.3, 1e-12);
  EXPECT_NEAR(recorder.joules, 0.3, 1e-12);
}

}  // namespace
}  // namespace npuvp::base
