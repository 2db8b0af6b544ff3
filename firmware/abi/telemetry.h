/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * Telemetry page: what the card tells its driver of itself. Firmware writes it to host memory, in one piece, when
 * NPU_MESSAGE_TELEMETRY asks for it and, if a period was given, at most once a period after something has changed: while
 * jobs run, at their ends, and when temperature or P-state pass a limit. An idle card writes nothing.
 */
#ifndef NPU_ABI_TELEMETRY_H
#define NPU_ABI_TELEMETRY_H

#include "abi.h"

#define NPU_TELEMETRY_MAGIC 0x4d4c4554u /* "TELM" */
#define NPU_TELEMETRY_VERSION 1u
#define NPU_TELEMETRY_ALIGNMENT 256u
#define NPU_TELEMETRY_RAILS 4u	/* neural, system, DRAM, PCIe */
#define NPU_TELEMETRY_CLOCKS 5u /* cp, dc1, dc2, bus, shm */

enum npu_thermal_state {
	NPU_THERMAL_NORMAL = 0,
	NPU_THERMAL_THROTTLE = 1, /* from 75 C: P10 */
	NPU_THERMAL_ABORT = 2,	  /* from 85 C: jobs aborted, none started, P12 */
	NPU_THERMAL_SHUTDOWN = 3, /* from 115 C: the card is switched off */
};

/* Bits of self_test. */
#define NPU_SELF_TEST_TCM 1u
#define NPU_SELF_TEST_DRAM 2u
#define NPU_SELF_TEST_INTERRUPTS 4u
#define NPU_SELF_TEST_DMA 8u
#define NPU_SELF_TEST_TRNG 16u
#define NPU_SELF_TEST_CRYPTO 32u

struct npu_telemetry {
	uint32_t magic;		/* NPU_TELEMETRY_MAGIC */
	uint16_t version;	/* NPU_TELEMETRY_VERSION */
	uint16_t bytes;		/* of this structure as the card knows it */
	uint64_t sequence;	/* of writes since the card's reset */
	uint64_t time_ns;	/* card time */
	int32_t temperature_mc; /* 1/1000 degree Celsius */
	int32_t peak_mc;
	int32_t ambient_mc;
	uint32_t thermal_state; /* enum npu_thermal_state */
	uint32_t pstate;	/* 2, 4, 6, 10, 12 or 14 */
	uint32_t host_pstate;	/* asked for by the host, 0: automatic */
	uint32_t power_mw[NPU_TELEMETRY_RAILS];
	uint32_t voltage_mv[NPU_TELEMETRY_RAILS];
	uint64_t energy_uj[NPU_TELEMETRY_RAILS];
	uint32_t clock_khz[NPU_TELEMETRY_CLOCKS];
	uint32_t jobs_running;
	uint64_t jobs_ok; /* ended so since the card's reset, of all functions */
	uint64_t jobs_failed;
	uint64_t jobs_aborted;
	uint32_t queue_depth; /* submissions that wait, of all queues */
	uint32_t throttles;   /* times that thermal_state rose from normal */
	uint32_t reset_cause; /* SYSTEM_CONTROLLER_RESET_CAUSE */
	uint32_t watchdog_resets;
	uint32_t self_test; /* NPU_SELF_TEST_* that failed at boot */
	uint32_t events;    /* in the event log since boot, modulo 2^32 */
	uint8_t reserved[72];
};
static_assert(sizeof(struct npu_telemetry) == 256, "telemetry layout");

#endif
