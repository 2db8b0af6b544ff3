// SPDX-License-Identifier: Apache-2.0
#include "platform/assembly/management.h"

#include <cmath>

namespace npuvp::assembly {
namespace {

using base::Rail;
using sc_core::SC_NS;
using sc_core::sc_time;
using system_controller::PState;
using system_controller::ResetCause;

constexpr double kMilli = 1e-3;

sensors::Sensors::Parameters sensors_parameters(const config::CardConfig::Sensors& config) {
  const auto regulator = [](const config::CardConfig::Sensors::Regulator& rail) {
    return sensors::Sensors::Regulator{.volts = rail.volts, .ohms = rail.milliohms * kMilli};
  };
  return {
      .thermal = {.ambient_celsius = config.ambient_c,
                  .die = {config.die.k_per_w, config.die.seconds},
                  .sink = {config.sink.k_per_w, config.sink.seconds}},
      .trip_celsius = config.trip_c,
      .rails = {regulator(config.neural), regulator(config.system), regulator(config.dram), regulator(config.pcie)}};
}

uint64_t millidegrees(double celsius) {
  return static_cast<uint64_t>(std::llround(celsius / kMilli));
}

}  // namespace

Management::Management(sc_core::sc_module_name name, base::Environment& environment, const config::CardConfig& config,
                       base::TrackId track)
    : sc_module(name),
      watchdog("watchdog", environment),
      timer("timer", environment, {.clock_period = sc_time(1000 / config.command_processor.clock_mhz, SC_NS)}),
      sensors("sensors", environment, power, sensors_parameters(config.sensors)),
      log("log_manager", environment, track),
      dma("cp_dma", environment,
          {.burst_bytes = config.cp_dma.burst_bytes,
           .outstanding_bursts = config.cp_dma.outstanding_bursts,
           .descriptor_latency = sc_time(config.cp_dma.descriptor_ns, SC_NS)}),
      figures_(config.power) {
  set_baseline(PState::kP2);
}

void Management::set_pstate(PState state, PState before) {
  set_baseline(state);
  log.record(NPU_EVENT_SYSTEM, NPU_EVENT_PSTATE, static_cast<uint64_t>(state), static_cast<uint64_t>(before));
}

/// Idle power is that of P14, whose clocks are slow, not stopped; the clocks' part grows with the frequency from there.
void Management::set_baseline(PState state) {
  const auto frequency = [](PState at) { return 1.0 / system_controller::settings_of(at).divider; };
  const double idle = frequency(PState::kP14);
  const double clocks = (frequency(state) - idle) / (1 - idle);
  power.set_baseline(Rail::kNeural, figures_.idle_w.neural + clocks * figures_.clocks_w.neural);
  power.set_baseline(Rail::kSystem, figures_.idle_w.system + clocks * figures_.clocks_w.system);
  power.set_baseline(Rail::kDram, figures_.idle_w.dram + clocks * figures_.clocks_w.dram);
  power.set_baseline(Rail::kPcie, figures_.idle_w.pcie + clocks * figures_.clocks_w.pcie);
}

void Management::power_off() {
  log.record(NPU_EVENT_SENSORS, NPU_EVENT_TRIP, millidegrees(sensors.celsius()));
  for (const Rail rail : {Rail::kNeural, Rail::kSystem, Rail::kDram}) power.set_baseline(rail, 0);
}

void Management::reset(ResetCause cause) {
  watchdog.reset(cause == ResetCause::kPowerOn);
  timer.reset();
  sensors.reset();
  log.record(NPU_EVENT_SYSTEM, NPU_EVENT_CARD_RESET, static_cast<uint64_t>(cause));
  log.reset();
  dma.reset();
  set_baseline(PState::kP2);
}

}  // namespace npuvp::assembly
