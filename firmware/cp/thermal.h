// SPDX-License-Identifier: Apache-2.0
/*
 * What the card does when it gets hot: at 75 C it runs at half the clock (P10), at 85 C it aborts its jobs and starts
 * none (P12), at 115 C it switches itself off. Each step is taken back THERMAL_HYSTERESIS_MC below its limit.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/telemetry.h"

#define THERMAL_THROTTLE_MC 75000
#define THERMAL_ABORT_MC 85000
#define THERMAL_SHUTDOWN_MC 115000
#define THERMAL_HYSTERESIS_MC 5000

/* The state that follows `state` at `temperature_mc`. */
enum npu_thermal_state thermal_next(enum npu_thermal_state state, int32_t temperature_mc);

/* Sets the alarms and takes the state of the present temperature. */
void thermal_init(void);

/* The sensors have interrupted. True if the state has changed. */
bool thermal_serve(void);

enum npu_thermal_state thermal_state(void);

/* Whether jobs may be started. */
bool thermal_allows_jobs(void);

/* How often the card had to slow down. */
uint32_t thermal_throttles(void);
