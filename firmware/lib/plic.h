// SPDX-License-Identifier: Apache-2.0
/* Interrupt sources of hart 0 (NPU_IRQ_*). All have the same priority; claims come in order of their number. */
#pragma once

#include <stdint.h>

#define PLIC_SOURCE(source) (1u << (source))

/* Brings the controller from any state to: threshold 0, priority 1 for all sources, only those of `mask` enabled. */
void plic_init(uint32_t mask);

/* Enables exactly the sources of `mask`. Others stay pending and are delivered when they are enabled again. */
void plic_enable(uint32_t mask);
uint32_t plic_enabled(void);

/* Takes the pending enabled source with the highest priority; 0 if there is none. Give it back with plic_complete. */
uint32_t plic_claim(void);
void plic_complete(uint32_t source);
