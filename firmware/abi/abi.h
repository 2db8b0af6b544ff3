/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * The device ABI: everything that the host (driver, runtime), the card's firmware and the hardware agree on beyond
 * registers. Plain C with a fixed little-endian layout, usable from firmware, kernel, user space and the models.
 * Registers come from models/<block>/registers.yaml instead.
 */
#ifndef NPU_ABI_H
#define NPU_ABI_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/types.h>
#else
#include <stdint.h>
#if !defined(__cplusplus) && !defined(static_assert)
#define static_assert _Static_assert
#endif
#endif

/*
 * Version of everything under firmware/abi. Host and firmware exchange it in the first mailbox message and refuse to
 * work together unless the major numbers are equal; the minor number grows with compatible additions.
 */
#define NPU_ABI_MAJOR 1u
#define NPU_ABI_MINOR 3u
#define NPU_ABI_VERSION ((NPU_ABI_MAJOR << 16) | NPU_ABI_MINOR)
#define NPU_ABI_VERSION_MAJOR(version) ((version) >> 16)

#endif
