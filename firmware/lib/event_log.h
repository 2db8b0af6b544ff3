// SPDX-License-Identifier: Apache-2.0
/* The log manager: events of hardware and firmware in a ring in DRAM (firmware/abi/event_log.h). */
#pragma once

#include <stdint.h>

#include "firmware/abi/event_log.h"

/* Switches the log on, empty: 2^`log2_entries` entries at card physical address `ring`, 64-byte aligned. */
void event_log_start(uint64_t ring, uint32_t log2_entries);

/* Records an event of the firmware. */
void event_log_record(enum npu_firmware_event code, uint64_t argument0, uint64_t argument1);

/* Events recorded since the log was switched on; event n is in entry n modulo the ring. */
uint64_t event_log_written(void);
