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
		return "its payload is not the one that was signed";
	case NPU_BOOT_DMA_ERROR:
		return "the card could not read it from host memory";
	case NPU_BOOT_BAD_KEY:
		return "it is signed by a key that this card does not know";
	case NPU_BOOT_KEY_REVOKED:
		return "it is signed by a key that was revoked on this card";
	case NPU_BOOT_BAD_SIGNATURE:
		return "its signature is not valid";
	case NPU_BOOT_ROLLED_BACK:
		return "it is older than this card accepts";
	case NPU_BOOT_DEBUG_LOCKED:
		return "it is a debug build and debug access to this card is closed";
	case NPU_BOOT_SLOT_EMPTY:
		return "there is none in the slot";
	case NPU_BOOT_FLASH_ERROR:
		return "the card's flash does not answer";
	case NPU_BOOT_CRYPTO_ERROR:
		return "the card could not check it: its crypto block failed";
	case NPU_BOOT_TRIAL_FAILED:
		return "it did not come up on trial after the update";
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
	case NPU_BOOT_BAD_KEY:
	case NPU_BOOT_KEY_REVOKED:
		return "install the firmware of the card's vendor for this card";
	case NPU_BOOT_BAD_SIGNATURE:
		return "the file is corrupt or not signed, install it again";
	case NPU_BOOT_ROLLED_BACK:
		return "install a newer release";
	case NPU_BOOT_DEBUG_LOCKED:
		return "install a release build";
	case NPU_BOOT_TRIAL_FAILED:
		return "install another release";
	case NPU_BOOT_SLOT_EMPTY:
		return "update the card's firmware";
	case NPU_BOOT_FLASH_ERROR:
	case NPU_BOOT_CRYPTO_ERROR:
		return "the card needs repair";
	default:
		return "host and firmware are of different releases, update both";
	}
}

#endif
