// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <array>
#include <cstdint>
#include <functional>
#include <systemc>
#include <utility>

#include "models/base/environment.h"
#include "models/base/irq.h"
#include "models/base/power_meter.h"
#include "models/sensors/thermal_model.h"
#include "npuvp/registers/sensors.h"

namespace npuvp::sensors {

/// Temperature, power, energy and voltage of a card, with alarms and a thermal trip.
///
/// Socket: `registers` (target); accesses take no time of their own. `interrupt`: level-sensitive.
/// Timing: values are computed for the time of the access from what base::PowerMeter knows. Alarms compare every
/// microsecond; the next crossing is computed ahead and is the only event, so a card whose power does not change costs
/// one event per crossing. The vendor's block is not public; this one is ours.
class Sensors final : public sc_core::sc_module, private base::PowerMeter::Observer {
 public:
  static constexpr unsigned kAlarms = 8;

  /// A rail's regulator: its voltage falls with the current it delivers.
  struct Regulator {
    double volts;
    double ohms;  ///< Load line.
  };
  struct Parameters {
    ThermalModel::Parameters thermal;
    double trip_celsius;
    std::array<Regulator, base::kRails> rails;
  };

  /// `meter` is observed from now on.
  Sensors(sc_core::sc_module_name name, base::Environment& environment, base::PowerMeter& meter,
          const Parameters& parameters);
  ~Sensors() override;

  tlm_utils::simple_target_socket<Sensors> registers;
  base::IrqLine interrupt;

  /// `handler` switches the card off: the trip temperature is reached. Called once each time.
  void on_trip(std::function<void()> handler) { trip_ = std::move(handler); }

  /// Temperature of the air at the inlet, from now on.
  void set_ambient(double celsius);

  [[nodiscard]] double celsius();
  /// Of all rails together, through the low-pass of POWER_MW.
  [[nodiscard]] double watts();

  /// Alarms off; temperatures stay what they are.
  void reset();

 private:
  struct State {
    ThermalModel thermal;
    base::RailValues watts;  // low-pass
    void advance(sc_core::sc_time duration, const base::RailValues& power);
  };
  /// Alarm number kAlarms is the trip.
  static constexpr unsigned kTrip = kAlarms;

  void elapsed(sc_core::sc_time begin, sc_core::sc_time end, const base::RailValues& watts) override;
  void forecast_changed() override { evaluate(sc_core::sc_time_stamp()); }

  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  void wire_registers();
  [[nodiscard]] State state_at(sc_core::sc_time at);
  [[nodiscard]] double voltage(unsigned rail);
  [[nodiscard]] bool watches(unsigned alarm) const;
  [[nodiscard]] ThermalModel::Threshold threshold(unsigned alarm) const;
  /// Alarms that are met at `at` and were not; then the next crossing.
  void evaluate(sc_core::sc_time at);
  void note(unsigned alarm);
  void schedule(sc_core::sc_time at);
  [[nodiscard]] double next_crossing(const ThermalModel& thermal, double horizon, double watts) const;
  void update_interrupt();
  void fire();

  base::PowerMeter& meter_;
  const Parameters parameters_;
  SensorsRegisters registers_;
  State state_;  // at the begin of the meter's present bin
  double peak_;  // Celsius
  std::array<bool, kAlarms + 1> met_{};
  bool evaluating_ = false;
  std::function<void()> trip_;
  sc_core::sc_time now_;  // of the access that is served
  sc_core::sc_event event_;
};

}  // namespace npuvp::sensors
