// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/sensors.h"

#include "firmware/abi/memory_map.h"
#include "firmware/lib/mmio.h"
#include "npu/registers/sensors.h"

static uint32_t read_register(uint32_t offset) {
  return mmio_read32(NPU_MAP_SENSORS + offset);
}

int32_t sensors_temperature_mc(void) {
  return (int32_t)read_register(SENSORS_TEMPERATURE);
}

int32_t sensors_peak_mc(void) {
  return (int32_t)read_register(SENSORS_PEAK);
}

int32_t sensors_ambient_mc(void) {
  return (int32_t)read_register(SENSORS_AMBIENT);
}

uint32_t sensors_power_mw(uint32_t rail) {
  return read_register(SENSORS_POWER_MW(rail));
}

uint32_t sensors_voltage_mv(uint32_t rail) {
  return read_register(SENSORS_VOLTAGE_MV(rail));
}

uint64_t sensors_energy_uj(uint32_t rail) {
  return mmio_read64(NPU_MAP_SENSORS + SENSORS_ENERGY_UJ(rail));
}

void sensors_set_alarm(uint32_t alarm, int32_t threshold_mc, bool below) {
  mmio_write32(NPU_MAP_SENSORS + SENSORS_THRESHOLD(alarm), (uint32_t)threshold_mc);
  mmio_write32(NPU_MAP_SENSORS + SENSORS_ALARM(alarm),
               SENSORS_ALARM_ENABLE_MASK | (below ? SENSORS_ALARM_BELOW_MASK : 0));
  mmio_write32(NPU_MAP_SENSORS + SENSORS_IRQ_ENABLE, read_register(SENSORS_IRQ_ENABLE) | 1u << alarm);
}

uint32_t sensors_take_alarms(void) {
  uint32_t alarms = read_register(SENSORS_ALARMS);
  mmio_write32(NPU_MAP_SENSORS + SENSORS_ALARMS, alarms);
  return alarms;
}
