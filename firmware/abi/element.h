/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* How much memory the elements of commands take: the one table of compiler, engines and Task Manager. */
#ifndef NPU_ABI_ELEMENT_H
#define NPU_ABI_ELEMENT_H

#include "command.h"

/* Bits of an element; 0 for a value that is no enum npu_type. */
#ifdef __cplusplus
constexpr
#else
static inline
#endif
	uint32_t
	npu_type_bits(uint32_t type)
{
	switch (type) {
	case NPU_TYPE_INT4:
		return 4;
	case NPU_TYPE_INT8:
	case NPU_TYPE_FP8_E4M3:
	case NPU_TYPE_FP8_E5M2:
		return 8;
	case NPU_TYPE_FP16:
	case NPU_TYPE_BF16:
		return 16;
	case NPU_TYPE_INT32:
	case NPU_TYPE_FP32:
		return 32;
	default:
		return 0;
	}
}

#endif
