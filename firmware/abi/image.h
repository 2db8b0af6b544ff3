/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Firmware image: this header, then the payload. Written by sw/tools/npu-image, checked by the boot ROM. */
#ifndef NPU_ABI_IMAGE_H
#define NPU_ABI_IMAGE_H

#include "abi.h"

#define NPU_IMAGE_MAGIC 0x4657504eu /* "NPWF" read as bytes: N P W F */
#define NPU_IMAGE_HEADER_VERSION 1u
#define NPU_IMAGE_DIGEST_BYTES 32u

struct npu_image_header {
	uint32_t magic;		 /* NPU_IMAGE_MAGIC */
	uint32_t header_version; /* NPU_IMAGE_HEADER_VERSION */
	uint32_t abi_version;	 /* NPU_ABI_VERSION the payload was built with */
	uint32_t image_version;	 /* major << 16 | minor << 8 | patch, for people */
	uint32_t payload_bytes;	 /* follows the header directly; a multiple of 8 */
	uint32_t reserved;	 /* 0 */
	uint64_t load_address;	 /* card physical address, inside the TCM */
	uint64_t entry;		 /* inside the payload, 4-byte aligned */
	uint8_t digest
		[NPU_IMAGE_DIGEST_BYTES]; /* SHA-256 of header (this field as zeros) and payload */
	uint8_t padding[56];		  /* zeros */
};
static_assert(sizeof(struct npu_image_header) == 128, "image header layout");

#endif
