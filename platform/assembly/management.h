// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>

#include "models/base/environment.h"
#include "models/base/power_meter.h"
#include "models/cp_dma/cp_dma.h"
#include "models/log_manager/log_manager.h"
#include "models/sensors/sensors.h"
#include "models/system_controller/system_controller.h"
#include "models/timer/timer.h"
#include "models/watchdog/watchdog.h"
#include "platform/config/board.h"

namespace npuvp::assembly {

/// The blocks with which the command processor looks after its card, and what goes on between them: P-states change the
/// baseline of power, everything notable is an event for the log manager.
class Management final : public sc_core::sc_module {
 public:
  /// `track`: of the card, for traces.
  Management(sc_core::sc_module_name name, base::Environment& environment, const config::CardConfig& config,
             base::TrackId track);

  base::PowerMeter power;
  watchdog::Watchdog watchdog;
  timer::Timer timer;
  sensors::Sensors sensors;
  log_manager::LogManager log;
  cp_dma::CpDma dma;

  /// The clocks run at the frequencies of `state` from now on.
  void set_pstate(system_controller::PState state, system_controller::PState before);
  /// Only the PCIe interface has power, until the next reset().
  void power_off();

  void reset(system_controller::ResetCause cause);

 private:
  void set_baseline(system_controller::PState state);

  const config::CardConfig::Power figures_;
};

}  // namespace npuvp::assembly
