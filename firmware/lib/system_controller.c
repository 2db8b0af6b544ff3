// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/system_controller.h"

#include "firmware/abi/memory_map.h"
#include "firmware/lib/mmio.h"
#include "npu/registers/system_controller.h"

static uint32_t read_register(uint32_t offset) {
  return mmio_read32(NPU_MAP_SYSTEM_CONTROLLER + offset);
}

struct board system_controller_board(void) {
  struct board board = {
      .neural_engines = read_register(SYSTEM_CONTROLLER_NEURAL_ENGINES),
      .card = read_register(SYSTEM_CONTROLLER_CARD),
      .cp_mhz = read_register(SYSTEM_CONTROLLER_CP_MHZ),
      .shared_bytes = read_register(SYSTEM_CONTROLLER_SHARED_BYTES),
      .scratchpad_bytes = read_register(SYSTEM_CONTROLLER_SCRATCHPAD_BYTES),
      .dram_bytes = (uint64_t)read_register(SYSTEM_CONTROLLER_DRAM_MIB) << 20,
      .job_base = NPU_MAP_DRAM + NPU_DRAM_RESERVED_BYTES,
  };
  if (board.dram_bytes > NPU_DRAM_RESERVED_BYTES) board.job_bytes = board.dram_bytes - NPU_DRAM_RESERVED_BYTES;
  return board;
}

uint32_t system_controller_reset_code(void) {
  return (read_register(SYSTEM_CONTROLLER_RESET_CAUSE) & SYSTEM_CONTROLLER_RESET_CAUSE_CAUSE_MASK) >>
         SYSTEM_CONTROLLER_RESET_CAUSE_CAUSE_SHIFT;
}

const char* system_controller_reset_name(uint32_t code) {
  switch (code) {
    case SYSTEM_CONTROLLER_RESET_CAUSE_CAUSE_POWER_ON:
      return "power-on";
    case SYSTEM_CONTROLLER_RESET_CAUSE_CAUSE_HOST:
      return "host";
    case SYSTEM_CONTROLLER_RESET_CAUSE_CAUSE_FIRMWARE:
      return "firmware";
    case SYSTEM_CONTROLLER_RESET_CAUSE_CAUSE_PCIE:
      return "PCIe";
    case SYSTEM_CONTROLLER_RESET_CAUSE_CAUSE_WATCHDOG:
      return "watchdog";
    case SYSTEM_CONTROLLER_RESET_CAUSE_CAUSE_THERMAL:
      return "thermal";
    default:
      return "unknown";
  }
}

const char* system_controller_reset_cause(void) {
  return system_controller_reset_name(system_controller_reset_code());
}

uint32_t system_controller_scratch(uint32_t index) {
  return read_register(SYSTEM_CONTROLLER_SCRATCH(index));
}

void system_controller_set_scratch(uint32_t index, uint32_t value) {
  mmio_write32(NPU_MAP_SYSTEM_CONTROLLER + SYSTEM_CONTROLLER_SCRATCH(index), value);
}

uint32_t system_controller_pstate(void) {
  return read_register(SYSTEM_CONTROLLER_PSTATE);
}

void system_controller_set_pstate(uint32_t state) {
  mmio_write32(NPU_MAP_SYSTEM_CONTROLLER + SYSTEM_CONTROLLER_PSTATE, state);
}

uint32_t system_controller_clock_khz(uint32_t domain) {
  return read_register(SYSTEM_CONTROLLER_CLOCK_KHZ(domain));
}

void system_controller_power_off(void) {
  mmio_write32(NPU_MAP_SYSTEM_CONTROLLER + SYSTEM_CONTROLLER_RESET, SYSTEM_CONTROLLER_RESET_POWER_OFF_MASK);
}
