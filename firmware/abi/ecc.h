/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Memories that the error collector (models/ecc) watches: the numbers of its sources. */
#ifndef NPU_ABI_ECC_H
#define NPU_ABI_ECC_H

enum npu_ecc_source {
	NPU_ECC_DRAM = 0,
	NPU_ECC_TCM = 1,
	NPU_ECC_SHARED = 2,
	NPU_ECC_SCRATCHPAD = 8, /* + engine */
	NPU_ECC_SOURCES = 16
};

#endif
