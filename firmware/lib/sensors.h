// SPDX-License-Identifier: Apache-2.0
/* Temperature, power and voltage of the card, and alarms on the temperature (NPU_IRQ_SENSORS). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SENSORS_RAILS 4u

/* In 1/1000 degree Celsius. */
int32_t sensors_temperature_mc(void);
int32_t sensors_peak_mc(void);
int32_t sensors_ambient_mc(void);

/* `rail` is below SENSORS_RAILS. */
uint32_t sensors_power_mw(uint32_t rail);
uint32_t sensors_voltage_mv(uint32_t rail);
uint64_t sensors_energy_uj(uint32_t rail);

/* Alarm `alarm`, below SENSORS_ALARM_COUNT: at or above the threshold, or with `below` at or below it. Interrupts. */
void sensors_set_alarm(uint32_t alarm, int32_t threshold_mc, bool below);

/* The alarms that came since the last call, bit n for alarm n; takes the interrupt away. */
uint32_t sensors_take_alarms(void);
