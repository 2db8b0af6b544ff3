/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* What a boot code means to a person and what to do about it, the same words on every host. */
#ifndef NPU_ABI_BOOT_TEXT_H
#define NPU_ABI_BOOT_TEXT_H

#include "abi.h"
#include "status.h"

/* "firmware FILE: WHAT; REMEDY". For the refusals of enum npu_boot_code and for anything else. */
static inline const char *npu_boot_refusal_what(uint32_t code)
{
	switch (code) {
	case NPU_BOOT_NONE:
		return "the boot ROM did not try it";
	case NPU_BOOT_BAD_MAGIC:
		return "it is not a firmware image";
	case NPU_BOOT_TRUNCATED:
		return "it is shorter than its header says";
	case NPU_BOOT_BAD_HEADER:
		return "its header is malformed";
	case NPU_BOOT_BAD_VERSION:
		return "it was built for another ABI version";
	case NPU_BOOT_BAD_RANGE:
		return "its load address or entry lies outside the command processor's image memory";
	case NPU_BOOT_BAD_DIGEST:
		return "its SHA-256 digest does not match its contents";
	case NPU_BOOT_DMA_ERROR:
		return "the card could not read it from host memory";
	default:
		return "unknown boot code";
	}
}

static inline const char *npu_boot_refusal_remedy(uint32_t code)
{
	switch (code) {
	case NPU_BOOT_NONE:
		return "reset the card and try again";
	case NPU_BOOT_BAD_MAGIC:
		return "install the file that npu-image wrote";
	case NPU_BOOT_TRUNCATED:
		return "copy it again, completely";
	case NPU_BOOT_BAD_HEADER:
		return "write it with the npu-image of this release";
	case NPU_BOOT_BAD_VERSION:
		return "install driver and firmware of the same release";
	case NPU_BOOT_BAD_RANGE:
		return "link it with the linker script of this release";
	case NPU_BOOT_BAD_DIGEST:
		return "the file is corrupt, install it again";
	case NPU_BOOT_DMA_ERROR:
		return "check bus mastering and the IOMMU";
	default:
		return "host and firmware are of different releases, update both";
	}
}

#endif
