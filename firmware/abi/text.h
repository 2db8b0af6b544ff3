/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* One English text for each code of status.h, the same on every host. */
#ifndef NPU_ABI_TEXT_H
#define NPU_ABI_TEXT_H

#include "status.h"

static inline const char *npu_boot_code_text(uint32_t code)
{
	switch (code) {
	case NPU_BOOT_NONE: return "nothing loaded";
	case NPU_BOOT_BOOTED: return "booted";
	case NPU_BOOT_BAD_MAGIC: return "not a firmware image (bad magic)";
	case NPU_BOOT_TRUNCATED: return "image is truncated";
	case NPU_BOOT_BAD_HEADER: return "image header is malformed";
	case NPU_BOOT_BAD_VERSION: return "image is of the wrong version (ABI mismatch)";
	case NPU_BOOT_BAD_RANGE: return "image does not fit its place in the card's memory";
	case NPU_BOOT_BAD_DIGEST: return "image is corrupt (SHA-256 mismatch)";
	case NPU_BOOT_DMA_ERROR: return "image could not be read from the host (DMA error)";
	default: return "unknown boot code";
	}
}

static inline const char *npu_job_status_text(uint32_t status)
{
	switch (status) {
	case NPU_JOB_OK: return "done";
	case NPU_JOB_BAD_SUBMISSION: return "submission is malformed";
	case NPU_JOB_FAULT: return "a command failed";
	case NPU_JOB_TIMEOUT: return "time limit exceeded";
	case NPU_JOB_ABORTED: return "aborted";
	default: return "unknown job status";
	}
}

static inline const char *npu_fault_text(uint32_t fault)
{
	switch (fault) {
	case NPU_FAULT_NONE: return "no fault";
	case NPU_FAULT_ILLEGAL_COMMAND: return "illegal command";
	case NPU_FAULT_ADDRESS: return "address out of range";
	case NPU_FAULT_PERMISSION: return "write to a read-only segment";
	case NPU_FAULT_BUS: return "bus error";
	case NPU_FAULT_POISON: return "poisoned data";
	case NPU_FAULT_DEADLOCK: return "deadlock";
	case NPU_FAULT_FETCH: return "command stream or segment table unreadable";
	default: return "unknown fault";
	}
}

#endif
