/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * The card's event log: a ring of events in the system reserve of its DRAM, written by the log manager
 * (models/log_manager) for hardware and firmware. The host gets events with NPU_MESSAGE_EVENT_LOG.
 */
#ifndef NPU_ABI_EVENT_LOG_H
#define NPU_ABI_EVENT_LOG_H

#include "abi.h"

#define NPU_EVENT_LOG_LOG2_MIN 4u
#define NPU_EVENT_LOG_LOG2_MAX 20u

/* Who reports; also the bit of register SOURCES that lets it. */
enum npu_event_source {
	NPU_EVENT_FIRMWARE = 0,
	NPU_EVENT_SYSTEM = 1, /* resets, P-states */
	NPU_EVENT_SENSORS = 2,
	NPU_EVENT_WATCHDOG = 3,
	NPU_EVENT_SOURCES = 8,
};

/* Codes of NPU_EVENT_SYSTEM; arguments in brackets. */
enum npu_system_event {
	NPU_EVENT_CARD_RESET = 1,  /* [cause: SYSTEM_CONTROLLER_RESET_CAUSE] */
	NPU_EVENT_PSTATE = 2,	   /* [P-state] [P-state before] */
	NPU_EVENT_BLOCK_RESET = 3, /* [blocks as in SYSTEM_CONTROLLER_BLOCK_RESET] */
};

/* Codes of NPU_EVENT_SENSORS. */
enum npu_sensors_event {
	NPU_EVENT_ALARM = 1, /* [alarms] [temperature in 1/1000 degree Celsius] */
	NPU_EVENT_TRIP = 2,  /* [temperature in 1/1000 degree Celsius] */
};

/* Codes of NPU_EVENT_WATCHDOG. */
enum npu_watchdog_event {
	NPU_EVENT_WATCHDOG_EARLY = 1,
};

/* Codes of NPU_EVENT_FIRMWARE. */
enum npu_firmware_event {
	NPU_EVENT_READY = 1,	 /* [firmware version] */
	NPU_EVENT_SELF_TEST = 2, /* [tests that failed] */
	NPU_EVENT_THERMAL = 3, /* [enum npu_thermal_state] [temperature in 1/1000 degree Celsius] */
	NPU_EVENT_HOST_PSTATE = 4, /* [P-state asked for, 0: automatic] */
	NPU_EVENT_START = 7,	   /* [firmware version], before the self test */
	NPU_EVENT_JOB_START = 5,   /* [NPU_EVENT_JOB, status 0] [job]: since ABI 1.3 */
	NPU_EVENT_JOB_END = 6,	   /* [NPU_EVENT_JOB] [job]: also of jobs that did not start */
};

/*
 * Whose job, where and how: context id 63:32, enum npu_job_status 31:24, slot of the Task Manager 23:16, function 15:8,
 * queue 7:0.
 */
#define NPU_EVENT_JOB(context, status, slot, function, queue)                                  \
	(((uint64_t)(context) << 32) | ((uint64_t)(status) << 24) | ((uint64_t)(slot) << 16) | \
	 ((uint64_t)(function) << 8) | (uint64_t)(queue))
#define NPU_EVENT_JOB_CONTEXT(argument) ((uint32_t)((argument) >> 32))
#define NPU_EVENT_JOB_STATUS(argument) ((uint32_t)(argument) >> 24)
#define NPU_EVENT_JOB_SLOT(argument) ((uint32_t)(argument) >> 16 & 0xffu)
#define NPU_EVENT_JOB_FUNCTION(argument) ((uint32_t)(argument) >> 8 & 0xffu)
#define NPU_EVENT_JOB_QUEUE(argument) ((uint32_t)(argument)&0xffu)
#define NPU_EVENT_NO_SLOT 0xffu /* it never reached the Task Manager */

struct npu_event {
	uint64_t time_ns;  /* card time; of hardware events exact, of firmware's when it reported */
	uint32_t sequence; /* counts all events since the log was switched on, modulo 2^32 */
	uint16_t source;   /* enum npu_event_source */
	uint16_t code;
	uint64_t argument[2];
};
static_assert(sizeof(struct npu_event) == 32, "event layout");

#endif
