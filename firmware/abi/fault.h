/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * Fault records: who, where, what and when, for each job that failed or had to be stopped. The card keeps the latest of
 * each function; the host reads them with FAULT_READ.
 */
#ifndef NPU_ABI_FAULT_H
#define NPU_ABI_FAULT_H

#include "abi.h"

#define NPU_FAULT_RECORDS 64u	 /* kept of the physical function */
#define NPU_VF_FAULT_RECORDS 16u /* of each virtual function */

/* Flags. */
#define NPU_FAULT_RECORD_ENGINE_RESET 1u    /* an engine did not stop by itself and was reset */
#define NPU_FAULT_RECORD_CONTEXT_STOPPED 2u /* the context takes no more jobs */
#define NPU_FAULT_RECORD_CARD_DEAD 4u	    /* not even that helped: the card must be reset */

#define NPU_FAULT_RECORD_POSITION \
	8u /* `position` is known: since ABI 1.3, of DMA commands that failed */

#define NPU_FAULT_NO_COMMAND 0xffffffffu

struct npu_fault_record {
	/* who */
	uint32_t sequence; /* of the function, from 1; 0: no record */
	uint32_t function; /* 0 physical, n virtual function n */
	uint32_t context;  /* id, as the host gave it */
	uint16_t queue;
	uint16_t asid;
	uint64_t job;
	/* what */
	uint32_t status; /* enum npu_job_status of the completion */
	uint32_t fault;	 /* enum npu_fault */
	/* where */
	uint32_t
		block; /* enum npu_command_kind of the engine; 0: none, the job never reached one */
	uint32_t engine; /* number within the kind */
	uint32_t
		command; /* index in the stream, NPU_FAULT_NO_COMMAND if it was none in particular */
	uint32_t retired; /* commands of the job that had finished */
	uint64_t address; /* as the command gave it; 0 if none */
	/* when, card time in ns */
	uint64_t start_ns; /* of the job */
	uint64_t time_ns;  /* of the record */
	uint32_t flags;	   /* NPU_FAULT_RECORD_* */
	uint32_t reserved0;
	/* where inside the command: NPU_DMA_POSITION (command.h), 0 without NPU_FAULT_RECORD_POSITION */
	uint64_t position;
	uint64_t reserved[5];
};
static_assert(sizeof(struct npu_fault_record) == 128, "fault record layout");

#endif
