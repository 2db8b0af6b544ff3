// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <systemc>

namespace npuvp::sensors {

/// Temperature of a die on a heat sink in an air stream: a Foster network of two RC stages, plus the air, which warms
/// the sink with the sink's time constant.
///
///   T(t) = air(t) + x_die(t) + x_sink(t),   x' = (R P - x) / tau,   air' = (ambient - air) / tau_sink
///
/// For constant power every part is a + b exp(-t / tau), so temperatures and crossings are computed, not stepped.
class ThermalModel {
 public:
  struct Stage {
    double kelvin_per_watt;
    double seconds;  ///< Time constant.
  };
  struct Parameters {
    double ambient_celsius;
    Stage die;   ///< Die to sink.
    Stage sink;  ///< Sink to air.
  };

  /// In equilibrium with the air, at time 0.
  explicit ThermalModel(const Parameters& parameters);

  /// `watts` has flowed for `seconds`.
  void advance(double seconds, double watts);

  void set_ambient(double celsius) { ambient_ = celsius; }
  [[nodiscard]] double ambient() const { return ambient_; }

  /// Temperature in Celsius now, or `seconds` later if `watts` flows.
  [[nodiscard]] double celsius() const { return air_ + die_ + sink_; }
  [[nodiscard]] double celsius_after(double seconds, double watts) const;

  /// A condition on the temperature: at or above `celsius`, or at or below it.
  struct Threshold {
    double celsius;
    bool below;
    [[nodiscard]] bool met(double temperature) const { return below ? temperature <= celsius : temperature >= celsius; }
  };
  /// First time, in seconds within (0, `horizon`], at which `threshold` becomes met, or, with `leaving`, is no longer
  /// met, while `watts` flows. An infinite `horizon` is allowed.
  [[nodiscard]] std::optional<double> crossing(const Threshold& threshold, bool leaving, double horizon,
                                               double watts) const;

 private:
  const Parameters parameters_;
  double ambient_;
  double air_;
  double die_ = 0;   // K above the sink
  double sink_ = 0;  // K above the air
};

}  // namespace npuvp::sensors
