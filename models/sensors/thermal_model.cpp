// SPDX-License-Identifier: Apache-2.0
#include "models/sensors/thermal_model.h"

#include <algorithm>
#include <cmath>

namespace npuvp::sensors {
namespace {

/// After so many time constants nothing changes any more that a double can tell.
constexpr double kSettled = 60;
constexpr int kBisections = 100;

double towards(double value, double end, double seconds, double time_constant) {
  return end + (value - end) * std::exp(-seconds / time_constant);
}

}  // namespace

ThermalModel::ThermalModel(const Parameters& parameters)
    : parameters_(parameters), ambient_(parameters.ambient_celsius), air_(parameters.ambient_celsius) {
  sc_assert(parameters.die.seconds > 0 && parameters.sink.seconds > 0);
}

void ThermalModel::advance(double seconds, double watts) {
  die_ = towards(die_, parameters_.die.kelvin_per_watt * watts, seconds, parameters_.die.seconds);
  sink_ = towards(sink_, parameters_.sink.kelvin_per_watt * watts, seconds, parameters_.sink.seconds);
  air_ = towards(air_, ambient_, seconds, parameters_.sink.seconds);
}

double ThermalModel::celsius_after(double seconds, double watts) const {
  ThermalModel later = *this;
  later.advance(seconds, watts);
  return later.celsius();
}

std::optional<double> ThermalModel::crossing(const Threshold& threshold, bool leaving, double horizon,
                                             double watts) const {
  const auto met = [&](double seconds) { return threshold.met(celsius_after(seconds, watts)) != leaving; };
  // With amplitudes a (fast) and b (slow) the slope is -a / tau_f exp(-t / tau_f) - b / tau_s exp(-t / tau_s): zero at
  // most once, so the curve is monotonic on either side of that time.
  const double end = std::min(horizon, kSettled * std::max(parameters_.die.seconds, parameters_.sink.seconds));
  const double die = (die_ - parameters_.die.kelvin_per_watt * watts) / parameters_.die.seconds;
  const double rest = (sink_ - parameters_.sink.kelvin_per_watt * watts + air_ - ambient_) / parameters_.sink.seconds;
  const double rates = 1 / parameters_.die.seconds - 1 / parameters_.sink.seconds;
  double turn = end;
  if (rest != 0 && rates != 0 && -die / rest > 0) {
    const double extremum = std::log(-die / rest) / rates;
    if (extremum > 0) turn = std::min(turn, extremum);
  }
  double from = 0;
  for (const double to : {turn, end}) {
    if (met(to) && !met(from)) {
      double low = from;
      double high = to;
      for (int i = 0; i < kBisections && low < high; ++i) {
        const double middle = low + (high - low) / 2;
        (met(middle) ? high : low) = middle;
      }
      return high;
    }
    from = to;
  }
  return std::nullopt;
}

}  // namespace npuvp::sensors
