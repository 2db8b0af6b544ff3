// SPDX-License-Identifier: Apache-2.0
/* Board straps, cause of the last reset, and the scratch registers that survive a card reset. */
#pragma once

#include <stdint.h>

/* What this card is built from. */
struct board {
  uint32_t neural_engines;
  uint32_t card; /* index in the server */
  uint32_t cp_mhz;
  uint32_t shared_bytes;
  uint32_t scratchpad_bytes; /* per engine */
  uint64_t dram_bytes;
  uint64_t job_base; /* card physical address of the DRAM that jobs may use */
  uint64_t job_bytes;
};

struct board system_controller_board(void);

/* Reason of the last restart, SYSTEM_CONTROLLER_RESET_CAUSE_CAUSE_*. */
uint32_t system_controller_reset_code(void);

/* A reason as text: "power-on", "host", "firmware", "PCIe", "watchdog", "thermal" or "unknown"; that of the last
 * restart. */
const char* system_controller_reset_name(uint32_t code);
const char* system_controller_reset_cause(void);

/* Scratch register `index`, below SYSTEM_CONTROLLER_SCRATCH_COUNT. */
uint32_t system_controller_scratch(uint32_t index);
void system_controller_set_scratch(uint32_t index, uint32_t value);

/* Performance state: 2, 4, 6, 10, 12 or 14 (models/system_controller/README.md). */
uint32_t system_controller_pstate(void);
void system_controller_set_pstate(uint32_t state);

/* Frequency of clock domain `domain`, below SYSTEM_CONTROLLER_CLOCK_KHZ_COUNT. */
uint32_t system_controller_clock_khz(uint32_t domain);

/* Switches the rails off: does not return on the card. */
void system_controller_power_off(void);
