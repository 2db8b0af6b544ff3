// SPDX-License-Identifier: Apache-2.0
/* BAR2 of each PCIe function: a window onto the DRAM that its jobs may use. Closed after a card reset. */
#pragma once

#include <stdint.h>

/* `function`: 0 the physical one, n virtual function n. `base`: card physical address, 4 KiB aligned. */
void aperture_open(uint32_t function, uint64_t base, uint64_t bytes);
void aperture_close(uint32_t function);
