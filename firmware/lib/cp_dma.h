// SPDX-License-Identifier: Apache-2.0
/* The firmware's own DMA channel: card memory to card memory, along a list of descriptors (firmware/abi/cp_dma.h). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "firmware/abi/cp_dma.h"

/* Longer than any list that firmware follows. */
#define CP_DMA_TIMEOUT_NS 10000000ull

/* Starts the list at card physical address `descriptors`; false if the channel is busy. */
bool cp_dma_start(uint64_t descriptors);

/* Waits, at most CP_DMA_TIMEOUT_NS, until the list has ended; false if it failed or was stopped because of the time. */
bool cp_dma_finish(void);

/* Whether the end of a list interrupts (NPU_IRQ_CP_DMA). */
void cp_dma_enable_interrupt(bool enable);
