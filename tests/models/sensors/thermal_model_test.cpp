// SPDX-License-Identifier: Apache-2.0
// The reference is the analytic step response of a Foster network, written out here, and a numerical integration of its
// differential equations.
#include "models/sensors/thermal_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace npuvp::sensors {
namespace {

constexpr double kForever = std::numeric_limits<double>::infinity();
const ThermalModel::Parameters kParameters{30, {0.1, 0.02}, {0.4, 30}};

double step_response(double seconds, double watts) {
  return 30 + 0.1 * watts * (1 - std::exp(-seconds / 0.02)) + 0.4 * watts * (1 - std::exp(-seconds / 30));
}

TEST(ThermalModel, StepResponseIsTheAnalyticOne) {
  for (const double seconds : {0.0, 0.001, 0.02, 0.1, 1.0, 30.0, 1000.0}) {
    ThermalModel model(kParameters);
    model.advance(seconds, 85);
    EXPECT_NEAR(model.celsius(), step_response(seconds, 85), 1e-9) << seconds;
  }
}

TEST(ThermalModel, ManySmallStepsAreOneLargeStep) {
  ThermalModel model(kParameters);
  for (int i = 0; i < 10000; ++i) model.advance(1e-4, 100);
  EXPECT_NEAR(model.celsius(), step_response(1, 100), 1e-8);
}

TEST(ThermalModel, FollowsTheDifferentialEquationsThroughChangingPowerAndAir) {
  ThermalModel model(kParameters);
  double die = 0;
  double sink = 0;
  double air = 30;
  double ambient = 30;
  const double dt = 1e-5;
  for (int second = 0; second < 4; ++second) {
    const double watts = second % 2 == 0 ? 120 : 6;
    if (second == 2) {
      ambient = 55;
      model.set_ambient(55);
    }
    for (int i = 0; i < 100000; ++i) {
      die += dt * (0.1 * watts - die) / 0.02;
      sink += dt * (0.4 * watts - sink) / 30;
      air += dt * (ambient - air) / 30;
    }
    model.advance(1, watts);
    EXPECT_NEAR(model.celsius(), air + die + sink, 0.01) << second;
  }
}

TEST(ThermalModel, CrossingIsWhereTheStepResponseCrosses) {
  const ThermalModel model(kParameters);
  const auto crossing = model.crossing({60, false}, false, kForever, 100);
  ASSERT_TRUE(crossing);
  EXPECT_NEAR(step_response(*crossing, 100), 60, 1e-6);
  EXPECT_LT(step_response(*crossing - 0.001, 100), 60);
}

TEST(ThermalModel, NoCrossingBeyondTheEquilibriumOrTheHorizon) {
  const ThermalModel model(kParameters);
  EXPECT_FALSE(model.crossing({81, false}, false, kForever, 100)) << "100 W settle at 80 C";
  EXPECT_FALSE(model.crossing({60, false}, false, 1, 100));
}

TEST(ThermalModel, FindsAPeakBetweenTheEnds) {
  // A hot die on a cold sink that warms: falls fast, then rises slowly.
  ThermalModel model(kParameters);
  model.advance(0.1, 200);
  const double begin = model.celsius();
  const auto below = model.crossing({begin - 4, true}, false, kForever, 150);
  ASSERT_TRUE(below) << "the die cools although the end is hotter";
  EXPECT_NEAR(model.celsius_after(*below, 150), begin - 4, 1e-6);
  EXPECT_GT(model.celsius_after(1000, 150), begin);
  const auto left_again = [&] {
    ThermalModel later = model;
    later.advance(*below, 150);
    return later.crossing({begin - 4, true}, true, kForever, 150);
  }();
  ASSERT_TRUE(left_again);
  EXPECT_GT(*left_again, 0.01);
}

}  // namespace
}  // namespace npuvp::sensors
