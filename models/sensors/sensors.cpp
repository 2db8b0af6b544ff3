// SPDX-License-Identifier: Apache-2.0
#include "models/sensors/sensors.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "npu/registers/sensors.h"

namespace npuvp::sensors {

using base::RailValues;
using sc_core::sc_time;
using sc_core::sc_time_stamp;

namespace {

constexpr double kMilli = 1000;
constexpr double kMicro = 1e6;
constexpr double kPowerFilterSeconds = 1e-3;
constexpr double kNever = std::numeric_limits<double>::infinity();

sc_time comparison_period() {
  return {1, sc_core::SC_US};
}

double total(const RailValues& watts) {
  return std::accumulate(watts.begin(), watts.end(), 0.0);
}

/// As the registers show it: signed, in thousandths.
uint64_t thousandths(double value) {
  return static_cast<uint32_t>(static_cast<int32_t>(std::lround(value * kMilli)));
}

}  // namespace

void Sensors::State::advance(sc_time duration, const RailValues& power) {
  const double seconds = duration.to_seconds();
  thermal.advance(seconds, total(power));
  const double share = -std::expm1(-seconds / kPowerFilterSeconds);
  for (size_t rail = 0; rail < base::kRails; ++rail) watts[rail] += (power[rail] - watts[rail]) * share;
}

Sensors::Sensors(sc_core::sc_module_name name, base::Environment& environment, base::PowerMeter& meter,
                 const Parameters& parameters)
    : sc_module(name),
      registers("registers"),
      meter_(meter),
      parameters_(parameters),
      registers_(environment, sc_module::name()),
      state_{ThermalModel(parameters.thermal), {}},
      peak_(state_.thermal.celsius()) {
  registers.register_b_transport(this, &Sensors::b_transport);
  registers.register_transport_dbg(this, &Sensors::transport_dbg);
  wire_registers();
  meter_.observe(this);
  SC_HAS_PROCESS(Sensors);
  SC_METHOD(fire);
  sensitive << event_;
  dont_initialize();
}

Sensors::~Sensors() {
  meter_.observe(nullptr);
}

void Sensors::wire_registers() {
  registers_.TEMPERATURE.on_read([this](uint64_t) { return thousandths(state_at(now_).thermal.celsius()); });
  registers_.PEAK.on_read([this](uint64_t) { return thousandths(std::max(peak_, state_at(now_).thermal.celsius())); });
  registers_.PEAK.on_write([this](const base::RegisterWrite&) { peak_ = state_at(now_).thermal.celsius(); });
  registers_.AMBIENT.on_read([this](uint64_t) { return thousandths(state_.thermal.ambient()); });
  registers_.TRIP.set_reset(thousandths(parameters_.trip_celsius));
  for (unsigned rail = 0; rail < base::kRails; ++rail) {
    registers_.POWER_MW[rail].on_read(
        [this, rail](uint64_t) { return static_cast<uint64_t>(std::lround(state_at(now_).watts[rail] * kMilli)); });
    registers_.VOLTAGE_MV[rail].on_read([this, rail](uint64_t) { return thousandths(voltage(rail)); });
    registers_.ENERGY_UJ[rail].on_read([this, rail](uint64_t) {
      return static_cast<uint64_t>(std::llround(meter_.joules(static_cast<base::Rail>(rail), now_) * kMicro));
    });
  }
  for (unsigned alarm = 0; alarm < kAlarms; ++alarm) {
    registers_.ALARM[alarm].on_write([this, alarm](const base::RegisterWrite& write) {
      if ((write.before & SENSORS_ALARM_ENABLE_MASK) == 0) {
        met_[alarm] = false;
        registers_.ALARMS.clear_bits(uint64_t{1} << alarm);
      }
      evaluate(now_);
    });
    registers_.THRESHOLD[alarm].on_write([this](const base::RegisterWrite&) { evaluate(now_); });
  }
  registers_.ALARMS.on_write([this](const base::RegisterWrite&) { update_interrupt(); });
  registers_.IRQ_ENABLE.on_write([this](const base::RegisterWrite&) { update_interrupt(); });
}

void Sensors::reset() {
  registers_.reset();
  std::fill_n(met_.begin(), kAlarms, false);
  peak_ = celsius();
  evaluate(sc_time_stamp());
}

void Sensors::b_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
  now_ = sc_time_stamp() + delay;
  registers_.transport(payload);
}

unsigned Sensors::transport_dbg(tlm::tlm_generic_payload& payload) {
  now_ = sc_time_stamp();
  return registers_.transport_debug(payload);
}

void Sensors::set_ambient(double celsius) {
  (void)meter_.watts();  // brings state_ to the present
  state_.thermal.set_ambient(celsius);
  evaluate(sc_time_stamp());
}

double Sensors::celsius() {
  return state_at(sc_time_stamp()).thermal.celsius();
}

double Sensors::watts() {
  return total(state_at(sc_time_stamp()).watts);
}

double Sensors::voltage(unsigned rail) {
  const auto& regulator = parameters_.rails[rail];
  return regulator.volts - state_at(now_).watts[rail] / regulator.volts * regulator.ohms;
}

void Sensors::elapsed(sc_time begin, sc_time end, const RailValues& watts) {
  state_.advance(end - begin, watts);
  peak_ = std::max(peak_, state_.thermal.celsius());
}

Sensors::State Sensors::state_at(sc_time at) {
  (void)meter_.watts();  // brings state_ to the begin of the present bin
  State state = state_;
  meter_.forecast([&](sc_time begin, sc_time end, const RailValues& watts) {
    if (at > begin) state.advance(std::min(at, end) - begin, watts);
    return at > end;
  });
  return state;
}

bool Sensors::watches(unsigned alarm) const {
  return alarm == kTrip || (registers_.ALARM[alarm].get() & SENSORS_ALARM_ENABLE_MASK) != 0;
}

ThermalModel::Threshold Sensors::threshold(unsigned alarm) const {
  if (alarm == kTrip) return {parameters_.trip_celsius, false};
  const auto value = static_cast<int32_t>(static_cast<uint32_t>(registers_.THRESHOLD[alarm].get()));
  return {value / kMilli, (registers_.ALARM[alarm].get() & SENSORS_ALARM_BELOW_MASK) != 0};
}

void Sensors::evaluate(sc_time at) {
  // Who hears of an alarm may change the power, which leads back here.
  if (evaluating_) return;
  evaluating_ = true;
  const double temperature = state_at(at).thermal.celsius();
  for (unsigned alarm = 0; alarm <= kTrip; ++alarm) {
    const bool met = watches(alarm) && threshold(alarm).met(temperature);
    const bool is_new = met && !met_[alarm];
    met_[alarm] = met;
    if (is_new) note(alarm);
  }
  update_interrupt();
  schedule(at);
  evaluating_ = false;
}

void Sensors::note(unsigned alarm) {
  if (alarm != kTrip) {
    registers_.ALARMS.set_bits(uint64_t{1} << alarm);
  } else if (trip_) {
    trip_();
  }
}

double Sensors::next_crossing(const ThermalModel& thermal, double horizon, double watts) const {
  double first = kNever;
  for (unsigned alarm = 0; alarm <= kTrip; ++alarm) {
    if (!watches(alarm)) continue;
    const auto crossing = thermal.crossing(threshold(alarm), met_[alarm], horizon, watts);
    if (crossing) first = std::min(first, *crossing);
  }
  return first;
}

void Sensors::schedule(sc_time at) {
  event_.cancel();
  ThermalModel thermal = state_at(at).thermal;
  sc_time from = at;
  double wait_seconds = kNever;
  meter_.forecast([&](sc_time, sc_time end, const RailValues& watts) {
    if (end <= from) return true;
    const bool last = end == sc_core::sc_max_time();
    const double horizon = last ? kNever : (end - from).to_seconds();
    const double crossing = next_crossing(thermal, horizon, total(watts));
    if (crossing < kNever) {
      wait_seconds = (from - at).to_seconds() + crossing;
      return false;
    }
    if (!last) thermal.advance(horizon, total(watts));
    from = end;
    return true;
  });
  if (wait_seconds == kNever) return;
  // The comparison that sees it: the next whole microsecond, and not the present one again.
  const sc_time period = comparison_period();
  const sc_time crossing = at + sc_time(wait_seconds, sc_core::SC_SEC);
  const uint64_t number =
      std::max((crossing.value() + period.value() - 1) / period.value(), sc_time_stamp().value() / period.value() + 1);
  event_.notify(sc_time::from_value(number * period.value()) - sc_time_stamp());
}

void Sensors::update_interrupt() {
  interrupt.set((registers_.ALARMS.get() & registers_.IRQ_ENABLE.get()) != 0);
}

void Sensors::fire() {
  evaluate(sc_time_stamp());
}

}  // namespace npuvp::sensors
