// SPDX-License-Identifier: Apache-2.0
#include "firmware/lib/aperture.h"

#include "firmware/abi/memory_map.h"
#include "firmware/lib/mmio.h"
#include "npu/registers/aperture.h"

void aperture_open(uint32_t function, uint64_t base, uint64_t bytes) {
  aperture_close(function); /* no window with the new place and the old size */
  mmio_write64(NPU_MAP_APERTURE + APERTURE_BASE(function), base);
  mmio_write64(NPU_MAP_APERTURE + APERTURE_BYTES(function), bytes);
}

void aperture_close(uint32_t function) {
  mmio_write64(NPU_MAP_APERTURE + APERTURE_BYTES(function), 0);
}
