// SPDX-License-Identifier: Apache-2.0
#include "firmware/cp/thermal.h"

#include "firmware/cp/jobs.h"
#include "firmware/cp/pstate.h"
#include "firmware/lib/event_log.h"
#include "firmware/lib/log.h"
#include "firmware/lib/mailbox.h"
#include "firmware/lib/sensors.h"
#include "firmware/lib/system_controller.h"
#include "npu/registers/mailbox.h"

static enum npu_thermal_state state_;
static uint32_t throttles_;

enum npu_thermal_state thermal_next(enum npu_thermal_state state, int32_t temperature_mc) {
  static const int32_t rises[] = {INT32_MIN, THERMAL_THROTTLE_MC, THERMAL_ABORT_MC, THERMAL_SHUTDOWN_MC};
  if (state == NPU_THERMAL_SHUTDOWN) return state;
  for (int each = NPU_THERMAL_SHUTDOWN; each > NPU_THERMAL_NORMAL; --each) {
    bool keeps = each <= (int)state && temperature_mc > rises[each] - THERMAL_HYSTERESIS_MC;
    if (temperature_mc >= rises[each] || keeps) return (enum npu_thermal_state)each;
  }
  return NPU_THERMAL_NORMAL;
}

static void shut_down(void) {
  mailbox_set_card_state(MAILBOX_HOST_CARD_STATE_STATE_FAULT);
  log_line("switching the card off; let it cool, then reset it");
  system_controller_power_off();
}

static void enter(enum npu_thermal_state state, int32_t temperature_mc) {
  static const char* const names[] = {"normal", "throttled", "too hot, jobs are aborted", "shut down"};
  static const uint32_t limits[] = {0, 10, 12, 12};
  if (state_ == NPU_THERMAL_NORMAL && state != NPU_THERMAL_NORMAL) ++throttles_;
  state_ = state;
  log_line("temperature %d mC: %s", temperature_mc, names[state]);
  event_log_record(NPU_EVENT_THERMAL, state, (uint64_t)(int64_t)temperature_mc);
  pstate_limit(limits[state]);
  if (state >= NPU_THERMAL_ABORT) jobs_abort_all();
  if (state == NPU_THERMAL_SHUTDOWN) shut_down();
}

bool thermal_serve(void) {
  (void)sensors_take_alarms(); /* before the temperature is read: what changes after it interrupts again */
  int32_t temperature = sensors_temperature_mc();
  enum npu_thermal_state next = thermal_next(state_, temperature);
  if (next == state_) return false;
  enter(next, temperature);
  return true;
}

void thermal_init(void) {
  state_ = NPU_THERMAL_NORMAL;
  throttles_ = 0;
  sensors_set_alarm(0, THERMAL_THROTTLE_MC, false);
  sensors_set_alarm(1, THERMAL_ABORT_MC, false);
  sensors_set_alarm(2, THERMAL_SHUTDOWN_MC, false);
  sensors_set_alarm(3, THERMAL_THROTTLE_MC - THERMAL_HYSTERESIS_MC, true);
  sensors_set_alarm(4, THERMAL_ABORT_MC - THERMAL_HYSTERESIS_MC, true);
  (void)thermal_serve();
}

enum npu_thermal_state thermal_state(void) {
  return state_;
}

bool thermal_allows_jobs(void) {
  return state_ < NPU_THERMAL_ABORT;
}

uint32_t thermal_throttles(void) {
  return throttles_;
}
